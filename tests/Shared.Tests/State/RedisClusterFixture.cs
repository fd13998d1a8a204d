using Bff.TestKit;

namespace Bff.Shared.Tests.State;

/// <summary>One cluster for the tests of a class, started by the first that needs it.</summary>
public sealed class RedisClusterFixture : IDisposable
{
    private readonly Lazy<RedisCluster> _cluster = new(() => RedisCluster.Run());

    public string ConnectionString => _cluster.Value.ConnectionString;

    /// <summary>As the user who may do everything, for tests with commands of their own.</summary>
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
