using System.Globalization;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace Bff.Shared.Tests.State;

/// <summary>
/// Tests all stores at once, under load, on Redis as companies run it. With <c>BFF_TEST_REDIS</c>, the whole suites run on such a Redis
/// too.
/// </summary>
public sealed class StoreEnginesTests(ITestOutputHelper output)
{
    private const int Enough = 40;

    [RedisFact]
    public Task Over_TLS_every_store_does_all_that_it_is_asked() => Does(RedisEngine.Tls, static (load, _, _) => load.More(Enough));

    [RedisFact]
    public Task Through_a_Sentinel_every_store_does_all_that_it_is_asked() =>
        Does(RedisEngine.Sentinel, static (load, _, _) => load.More(Enough));

    [RedisFact]
    public Task While_the_password_rotates_every_store_does_all_that_it_is_asked() =>
        Does(
            RedisEngine.Rotation,
            static async (load, _, log) =>
            {
                await load.More(Enough);
                await Eventually.True(() => log.Entries.Count(e => e.Event.Name == "RedisPasswordRenewed") >= 3);
            }
        );

    [RedisFact]
    public Task While_slots_move_every_store_does_all_that_it_is_asked() =>
        Does(RedisEngine.Cluster, static (load, _, _) => load.More(Enough));

    [RedisFact]
    public Task With_a_replica_every_store_does_all_that_it_is_asked() =>
        Does(RedisEngine.Replica, static (load, _, _) => load.More(Enough));

    /// <summary>
    /// Acknowledged writes are on the replica that takes over. Limits and shared fragments, which promise nothing, continue without a
    /// replica and may lose writes.
    /// </summary>
    [RedisTheory]
    [InlineData("is told to fail over")]
    [InlineData("is killed")]
    public async Task With_State_Replicas_a_failover_loses_nothing_that_was_acknowledged(string primaryThat)
    {
        using var pair = RedisPair.Run();
        using var sentinel = RedisSentinel.Run("shop", pair.Primary, primaryThat == "is killed" ? TimeSpan.FromSeconds(1) : null);
        await using var services = StoreTroubleTests.Services(
            sentinel.Address + ",serviceName=shop" + RedisServer.AsUser,
            "00:00:01",
            replicas: 1
        );
        await StateEngines.Ready(services);
        using var load = new StoreLoad(StoreTroubleTests.ProbesOf(services));

        await load.During(async () =>
        {
            foreach (var (primary, replica) in ((RedisServer, RedisServer)[])[(pair.Primary, pair.Replica), (pair.Replica, pair.Primary)])
            {
                await load.More(Enough);
                if (primaryThat == "is killed")
                {
                    primary.Stop();
                    await Eventually.True(() => sentinel.PrimaryPort == replica.Port, TimeSpan.FromMinutes(1));
                    primary.Start(RedisPair.Following(replica));
                }
                else
                {
                    await Eventually.True(sentinel.TryFailover);
                    await Eventually.True(() => sentinel.PrimaryPort == replica.Port);
                }

                await Eventually.True(() => IsReplica(primary));
            }

            await load.More(Enough);
        });

        var lost = await load.Lost();
        var promised = lost.Where(l => StoreTroubleTests.IsPromised(l.Thing.Split(' ')[0])).ToList();
        output.WriteLine(
            $"two times a primary {primaryThat}: {load.Figures(promised.Count)}; {lost.Count - promised.Count} of limits and cache"
        );
        Assert.Empty(promised);
    }

    /// <summary>
    /// Redis replicates after it has answered. Only writes that the primary had acknowledged but not replicated at the moment of the
    /// failover are lost.
    /// </summary>
    [RedisFact]
    public async Task Failovers_under_load_refuse_for_a_while_and_lose_at_most_what_was_on_its_way()
    {
        string[] safe = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "10", "--repl-diskless-sync-delay", "0"];
        using var first = RedisServer.Run(safe);
        using var second = RedisServer.Run(["--replicaof", "127.0.0.1 " + first.Port.ToString(CultureInfo.InvariantCulture), .. safe]);
        await Eventually.True(() => second.Command("INFO", "replication").Contains("master_link_status:up", StringComparison.Ordinal));
        using var sentinel = RedisSentinel.Run("shop", first);
        await using var services = StoreTroubleTests.Services(
            sentinel.Address + ",serviceName=shop" + RedisServer.AsUser,
            Generous.StateTimeout
        );
        await StateEngines.Ready(services);
        using var load = new StoreLoad(StoreTroubleTests.ProbesOf(services));
        var atRisk = new List<(long From, long To)>();

        await load.During(async () =>
        {
            foreach (var (primary, replica) in ((RedisServer, RedisServer)[])[(first, second), (second, first)])
            {
                await load.More(Enough);
                // A replica that has just loaded a copy counts as connected before the writes since then reach it.
                var reached = Offset(primary, "master_repl_offset");
                await Eventually.True(() => Offset(replica, "slave_repl_offset") >= reached);
                var from = load.Moment;
                await Eventually.True(sentinel.TryFailover);
                await Eventually.True(() => sentinel.PrimaryPort == replica.Port);
                await Eventually.True(() => IsReplica(primary));
                atRisk.Add((from, load.Moment));
            }

            await load.More(Enough);
        });

        var lost = await load.Lost();
        output.WriteLine($"two failovers of Sentinel: {load.Figures(lost.Count)}");
        Assert.DoesNotContain(lost, l => !atRisk.Exists(r => l.Moment > r.From && l.Moment <= r.To));
    }

    /// <summary>
    /// Like a failover by a Sentinel, but the other primaries continue. The keys of the dead primary are refused until its replica has
    /// taken over.
    /// </summary>
    [RedisFact]
    public async Task A_primary_of_a_cluster_that_dies_under_load_refuses_for_a_while_and_loses_at_most_what_was_on_its_way()
    {
        using var cluster = RedisCluster.Run(replicas: 1);
        await using var services = StoreTroubleTests.Services(cluster.ConnectionString, Generous.StateTimeout);
        await StateEngines.Ready(services);
        using var load = new StoreLoad(StoreTroubleTests.ProbesOf(services));
        (long From, long To) atRisk = default;

        await load.During(async () =>
        {
            await load.More(Enough);
            var dies = cluster.Nodes.First(n => !IsReplica(n));
            var left = cluster.Nodes.Where(n => n != dies).ToList();
            var from = load.Moment;
            dies.Stop();
            await Eventually.True(() => left.Count(n => !IsReplica(n)) == 3, TimeSpan.FromMinutes(1));
            atRisk = (from, load.Moment);
            await load.More(Enough);
        });

        var lost = await load.Lost();
        output.WriteLine($"a primary of a cluster dies: {load.Figures(lost.Count)}");
        Assert.DoesNotContain(lost, l => l.Moment <= atRisk.From || l.Moment > atRisk.To);
    }

    /// <summary>Returns how far the server is in the stream of writes, or -1 if it does not say.</summary>
    private static long Offset(RedisServer server, string name) =>
        server.Command("INFO", "replication").Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.Ordinal))
            is { } line
            ? long.Parse(line.AsSpan(name.Length + 1), CultureInfo.InvariantCulture)
            : -1;

    /// <summary>
    /// Returns whether the server is a replica. A Sentinel closes all connections to a server that it makes a replica, so the command may
    /// fail.
    /// </summary>
    private static bool IsReplica(RedisServer server)
    {
        try
        {
            return server.Command("INFO", "replication").Contains("role:slave", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task Does(RedisEngine engine, Func<StoreLoad, RedisServer, LogRecorder, Task> enough)
    {
        using var server = RedisServer.Run(engine);
        using var log = new LogRecorder();
        await using var services = StoreTroubleTests.Services(server.ConnectionString, Generous.StateTimeout, log);
        await StateEngines.Ready(services);
        using var load = new StoreLoad(StoreTroubleTests.ProbesOf(services));

        await load.During(() => enough(load, server, log));

        var lost = await load.Lost();
        output.WriteLine($"{engine}: {load.Figures(lost.Count)}");
        Assert.Empty(lost);
        Assert.Equal(0, load.Refused);
    }
}
