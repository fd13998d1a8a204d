using Bff.TestKit;

namespace Bff.Shared.Tests.State;

/// <summary>One cluster for the tests of a class, started by the first test that needs it.</summary>
public sealed class RedisClusterFixture : IDisposable
{
    private readonly Lazy<RedisCluster> _cluster = new(() => RedisCluster.Run());

    public string ConnectionString => _cluster.Value.ConnectionString;

    /// <summary>Address with the user that has all rights, for tests that run their own commands.</summary>
    public string Address => string.Join(',', Nodes.Select(n => n.Address));

    public IReadOnlyList<RedisServer> Nodes => _cluster.Value.Nodes;

    public void Dispose()
    {
        if (_cluster.IsValueCreated)
        {
            _cluster.Value.Dispose();
        }
    }
}
