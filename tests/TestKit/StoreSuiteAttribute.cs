namespace Bff.TestKit;

/// <summary>The class is the behaviour suite of a store and runs over both of its engines.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class StoreSuiteAttribute(Type store) : Attribute
{
    public Type Store => store;
}
