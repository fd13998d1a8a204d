using System.Diagnostics;

namespace Bff.TestKit;

/// <summary>A real Redis Cluster of three primaries on loopback.</summary>
public sealed class RedisCluster : IDisposable
{
    private readonly RedisServer[] _nodes;

    private RedisCluster(RedisServer[] nodes) => _nodes = nodes;

    public IReadOnlyList<RedisServer> Nodes => _nodes;

    /// <summary>For <c>ConnectionStrings:redis</c>.</summary>
    public string ConnectionString => string.Join(',', _nodes.Select(n => n.Address)) + RedisServer.AsUser;

    /// <summary>Starts three nodes, lets <c>redis-cli</c> make a cluster of them, and waits until every node serves.</summary>
    public static RedisCluster Run()
    {
        var cluster = new RedisCluster([
            .. Enumerable.Range(0, 3).Select(_ => RedisServer.Run("--cluster-enabled", "yes", "--cluster-node-timeout", "5000")),
        ]);
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
        foreach (var argument in (string[])["--cluster", "create", .. _nodes.Select(n => n.Address), "--cluster-yes"])
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

        while (!_nodes.All(n => n.Command("CLUSTER", "INFO").Contains("cluster_state:ok", StringComparison.Ordinal)))
        {
            if (waited.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new InvalidOperationException("the cluster did not come up");
            }

            Thread.Sleep(20); // Waits for other programs, which have no signal to give.
        }
    }
}
