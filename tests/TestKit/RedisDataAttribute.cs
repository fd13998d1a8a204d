using System.Reflection;
using Xunit.Sdk;

namespace Bff.TestKit;

/// <summary>Inline data of a theory that needs redis-server; skipped with that reason if it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RedisDataAttribute : DataAttribute
{
    private readonly object[] _data;

    public RedisDataAttribute(params object[] data)
    {
        _data = data;
        Skip = RedisServer.IsInstalled ? null : "redis-server is not installed";
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [_data];
}
