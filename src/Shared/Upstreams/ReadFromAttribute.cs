namespace Bff.Upstreams;

/// <summary>
/// States the document from which a hand-written reader builds a value, if the value's own members do not show it. Has no effect at run
/// time; the contract with the service is generated from it (<c>docs/upstream-contracts.md</c>).
/// </summary>
/// <param name="type">A type whose members are those of the document.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class ReadFromAttribute(Type type) : Attribute
{
    /// <summary>A type whose members are those of the document.</summary>
    public Type Type { get; } = type;
}
