using Xunit.Abstractions;
using Xunit.Sdk;

namespace Bff.TestKit;

/// <summary>
/// Marks a class as the behaviour suite of a store, which runs over both of its engines. <c>--filter Suite=Store</c> runs all of them.
/// </summary>
[TraitDiscoverer("Bff.TestKit.StoreSuiteDiscoverer", "Bff.TestKit")]
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class StoreSuiteAttribute(Type store) : Attribute, ITraitAttribute
{
    public Type Store => store;
}

/// <summary>Names the suites for filters.</summary>
public sealed class StoreSuiteDiscoverer : ITraitDiscoverer
{
    public IEnumerable<KeyValuePair<string, string>> GetTraits(IAttributeInfo traitAttribute) => [new("Suite", "Store")];
}
