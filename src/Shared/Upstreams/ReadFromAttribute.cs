namespace Bff.Upstreams;

/// <summary>
/// Says what a hand-written reader makes a value of, where the value's own members do not say it. Nothing is done with it at run time: the
/// contract with the service is written from it (<c>docs/upstream-contracts.md</c>).
/// </summary>
/// <param name="type">A type whose members are those of the document.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class ReadFromAttribute(Type type) : Attribute
{
    /// <summary>A type whose members are those of the document.</summary>
    public Type Type { get; } = type;
}
