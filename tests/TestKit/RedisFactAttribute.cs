using Xunit;

namespace Bff.TestKit;

/// <summary>A test that needs redis-server; skipped with that reason if it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RedisFactAttribute : FactAttribute
{
    public RedisFactAttribute() => Skip = RedisServer.IsInstalled ? null : "redis-server is not installed";
}

/// <summary>A theory that needs redis-server; skipped with that reason if it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RedisTheoryAttribute : TheoryAttribute
{
    public RedisTheoryAttribute() => Skip = RedisServer.IsInstalled ? null : "redis-server is not installed";
}
