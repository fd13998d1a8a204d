namespace Bff.Life;

/// <summary>Something that the host cannot work without; <c>/health/ready</c> is false until every registered one is ready.</summary>
public interface IReadinessCheck
{
    /// <summary>For the log, such as <c>signing-keys</c>; never an address.</summary>
    string Name { get; }

    /// <summary>Answers at once, from what is known.</summary>
    bool IsReady { get; }
}
