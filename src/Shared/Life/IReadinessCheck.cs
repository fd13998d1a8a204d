namespace Bff.Life;

/// <summary>
/// Checks something that the host cannot work without. <c>/health/ready</c> answers 503 until every registered check is ready.
/// </summary>
public interface IReadinessCheck
{
    /// <summary>Name for the log, such as <c>signing-keys</c>. Never an address.</summary>
    string Name { get; }

    /// <summary>Whether it is ready. Answers at once, from what is known.</summary>
    bool IsReady { get; }
}
