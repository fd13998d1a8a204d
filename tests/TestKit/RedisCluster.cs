using System.Diagnostics;
using System.Globalization;

namespace Bff.TestKit;

/// <summary>A real Redis Cluster of three primaries on loopback, with the given number of replicas each.</summary>
public sealed class RedisCluster : IDisposable
{
    private readonly RedisServer[] _nodes;

    private readonly int _replicas;

    private RedisCluster(RedisServer[] nodes, int replicas) => (_nodes, _replicas) = (nodes, replicas);

    public IReadOnlyList<RedisServer> Nodes => _nodes;

    /// <summary>Value for <c>ConnectionStrings:redis</c>.</summary>
    public string ConnectionString => string.Join(',', _nodes.Select(n => n.Address)) + RedisServer.AsUser;

    /// <summary>Starts the nodes, makes them a cluster with <c>redis-cli</c>, and waits until every node serves.</summary>
    public static RedisCluster Run(int replicas = 0)
    {
        var nodes = Enumerable.Range(0, 3 * (1 + replicas));
        var cluster = new RedisCluster(
            [.. nodes.Select(_ => RedisServer.Run("--cluster-enabled", "yes", "--cluster-node-timeout", "5000"))],
            replicas
        );
        try
        {
            cluster.Create();
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var node in _nodes)
        {
            node.Dispose();
        }
    }

    private void Create()
    {
        var start = new ProcessStartInfo("redis-cli") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (
            var argument in (string[])
                [
                    "--cluster",
                    "create",
                    .. _nodes.Select(n => n.Address),
                    "--cluster-replicas",
                    _replicas.ToString(CultureInfo.InvariantCulture),
                    "--cluster-yes",
                ]
        )
        {
            start.ArgumentList.Add(argument);
        }

        using var cli = Process.Start(start)!;
        var output = cli.StandardOutput.ReadToEndAsync();
        var waited = Stopwatch.StartNew();
        if (!cli.WaitForExit(60_000) || cli.ExitCode != 0)
        {
            throw new InvalidOperationException("redis-cli made no cluster: " + (output.IsCompleted ? output.Result : "it did not end"));
        }

        while (!_nodes.All(IsWell))
        {
            if (waited.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new InvalidOperationException("the cluster did not come up");
            }

            Thread.Sleep(20); // Waits for other programs, which give no signal.
        }
    }

    private static bool IsWell(RedisServer node) =>
        node.Command("CLUSTER", "INFO").Contains("cluster_state:ok", StringComparison.Ordinal)
        && node.Command("INFO", "replication") is var role
        && (role.Contains("role:master", StringComparison.Ordinal) || role.Contains("master_link_status:up", StringComparison.Ordinal));
}
