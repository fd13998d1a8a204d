using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.Shared.Tests.State;

/// <summary>
/// Tests what <c>State:Replicas</c> promises for one write and what it costs other operations. <see cref="StoreEnginesTests"/> tests what a
/// failover loses.
/// </summary>
public sealed class DurableWritesTests : IDisposable
{
    private const int Many = 100;
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(30);

    private static readonly RedisScript Append = RedisScript.Durable("return redis.call('LPUSH', KEYS[1], ARGV[1])");

    private static readonly RedisScript Count = new("return redis.call('HINCRBY', KEYS[1], 'n', 1)");

    private readonly ILoggerFactory _logging = WatchedLogging.NewFactory();
    private readonly ManualTimeProvider _clock = new();
    private readonly RedisPair? _pair = RedisServer.IsInstalled ? RedisPair.Run() : null;

    private RedisPair Redis => _pair!;

    [RedisFact]
    public async Task Without_its_replica_durable_writes_are_refused_and_all_else_goes_on_until_it_is_back()
    {
        using var log = new LogRecorder();
        await using var services = await Ready(log: log);
        var state = services.GetRequiredService<RedisState>();
        await Write(state, "a");
        Assert.Contains("$1\r\na", Redis.Replica.Command("LRANGE", "bff:test:{a}", "0", "-1"), StringComparison.Ordinal);

        Redis.Replica.Freeze();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Write(state, "b"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            state.Write("SET", database => database.StringSetAsync("bff:test:{a}:key", "1"))
        );
        Assert.True(state.IsAvailable);
        Assert.Equal(1, (long)await state.Evaluate(Count, ["bff:test:{a}:counts"], []));
        Assert.True(await state.Run("EXISTS", database => database.KeyExistsAsync("bff:test:{a}")));

        Redis.Replica.Continue();
        await Eventually.True(() => Takes(state));
        await log.Until(e => e.Event.Name == "RedisReplicasCaughtUp");
        Assert.Equal(
            ["RedisReplicasFellShort", "RedisReplicasCaughtUp"],
            log.Entries.Where(e => e.Event.Id is >= 1310 and <= 1312).Select(e => e.Event.Name).Distinct()
        );
    }

    /// <summary>The clock stands still, so the writes do not end by timeout but by one answer of the server for all of them.</summary>
    [RedisFact]
    public async Task Many_writes_while_the_replica_is_away_share_the_wait_for_it()
    {
        using var state = State();
        state.Start();
        await Takes(state, byClock: true);
        var before = Waits();

        Redis.Replica.Freeze();
        var writes = Enumerable.Range(0, Many).Select(_ => Write(state, "x")).ToList();
        foreach (var write in writes)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => write.WaitAsync(WaitLimit));
        }

        Assert.InRange(Waits() - before, 1, 5);
        for (var i = 0; i < Many; i++)
        {
            var next = Write(state, "y");
            Assert.True(next.IsFaulted, "It waits.");
            await Assert.ThrowsAsync<StoreUnavailableException>(() => next);
        }

        Redis.Replica.Continue();
        await Takes(state, byClock: true);
    }

    [RedisFact]
    public async Task Many_writers_share_a_WAIT_while_all_is_well()
    {
        await using var services = await Ready();
        var state = services.GetRequiredService<RedisState>();
        var before = Waits();

        await Task.WhenAll(Enumerable.Range(0, Many).Select(n => Task.Run(() => Write(state, n.ToString(CultureInfo.InvariantCulture)))));

        Assert.InRange(Waits() - before, 1, Many / 2);
        Assert.Equal(":100\r\n", Redis.Replica.Command("LLEN", "bff:test:{a}"));
    }

    /// <summary>Reads each command and its connection from Redis (MONITOR).</summary>
    [RedisFact]
    public async Task WAIT_comes_after_the_write_on_its_connection_and_never_on_that_of_reads()
    {
        await using var services = await Ready();
        var state = services.GetRequiredService<RedisState>();
        using var monitor = new TcpClient();
        await monitor.ConnectAsync("127.0.0.1", Redis.Primary.Port);
        using var lines = new StreamReader(monitor.GetStream());
        await monitor.GetStream().WriteAsync("MONITOR\r\n"u8.ToArray());
        Assert.Equal("+OK", await lines.ReadLineAsync());

        for (var n = 0; n < 20; n++)
        {
            await Write(state, n.ToString(CultureInfo.InvariantCulture));
            await state.Run("LRANGE", database => database.ListRangeAsync("bff:test:{a}"));
            await state.Write("SET", database => database.StringSetAsync("bff:test:{a}:key", "1"));
        }

        await state.Run("GET", database => database.StringGetAsync("bff:test:{the last}"));
        var (writes, waits, reads) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>());
        var unasked = false;
        while (await lines.ReadLineAsync().WaitAsync(WaitLimit) is { } line && !line.Contains("{the last}", StringComparison.Ordinal))
        {
            var by = line[..line.IndexOf(']', StringComparison.Ordinal)].Split(' ')[^1];
            if (line.Contains("\"LRANGE\"", StringComparison.Ordinal))
            {
                Assert.False(unasked, "It was acknowledged before a WAIT.");
                reads.Add(by);
            }
            else if (line.Contains("\"WAIT\"", StringComparison.Ordinal))
            {
                unasked = false;
                waits.Add(by);
            }
            else if (line.Contains("\"EVALSHA\"", StringComparison.Ordinal) || line.Contains("\"SET\"", StringComparison.Ordinal))
            {
                unasked = true;
                writes.Add(by);
            }
        }

        Assert.Equal(writes, waits);
        Assert.Single(waits);
        Assert.DoesNotContain(reads.Single(), waits);
    }

    /// <summary>The replica has become a primary, and the old primary does not know it.</summary>
    [RedisFact]
    public async Task An_old_primary_that_is_cut_off_acknowledges_no_durable_write()
    {
        await using var services = await Ready();
        var state = services.GetRequiredService<RedisState>();
        await Write(state, "a");

        Redis.Replica.Command("REPLICAOF", "NO", "ONE");

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Write(state, "b"));
        Assert.True(await state.Run("EXISTS", database => database.KeyExistsAsync("bff:test:{a}")));
        Assert.DoesNotContain("$1\r\nb", Redis.Replica.Command("LRANGE", "bff:test:{a}", "0", "-1"), StringComparison.Ordinal);
    }

    /// <summary>On a new connection, WAIT always succeeds, because that connection has written nothing.</summary>
    [RedisFact]
    public async Task A_connection_that_has_ended_is_not_asked_anew_whether_its_writes_are_replicated()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:redis", Redis.ConnectionString)]);
        var access = RedisAccess.Of(configuration.Build(), new())!;
        using var connection = await RedisConnection.Open(
            access,
            WaitLimit,
            TimeSpan.FromMilliseconds(100),
            1,
            static _ => { },
            static () => { }
        );
        var durable = connection.Durable!;
        var isLost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        durable.Lost += () => isLost.TrySetResult();
        await durable.Database.ListLeftPushAsync("bff:test:{a}", "a");
        Assert.True(await durable.AreReplicated());

        Redis.Replica.Freeze();
        await durable.Database.ListLeftPushAsync("bff:test:{a}", "b");
        Assert.False(await durable.AreReplicated());
        Redis.Primary.Command("CLIENT", "KILL", "TYPE", "normal");
        await isLost.Task.WaitAsync(WaitLimit);
        await Eventually.True(() => connection.IsConnected); // The other connection reconnects.
        for (var i = 0; i < 20; i++)
        {
            await Assert.ThrowsAnyAsync<RedisException>(durable.AreReplicated);
            await connection.Database.PingAsync();
        }

        Assert.False(durable.IsConnected);
    }

    [RedisFact]
    public async Task A_lost_connection_of_durable_writes_is_replaced()
    {
        await using var services = await Ready();
        var state = services.GetRequiredService<RedisState>();
        await Write(state, "a");

        Redis.Primary.Command("CLIENT", "KILL", "TYPE", "normal");

        await Eventually.True(() => Takes(state));
    }

    [RedisFact]
    public async Task A_user_who_may_not_wait_is_told_so_at_once_and_may_still_read()
    {
        Redis.Primary.Deny("wait");
        using var log = new LogRecorder();
        await using var services = await Ready(log: log);
        var state = services.GetRequiredService<RedisState>();

        var line = await log.Until(e => e.Event.Name == "RedisRefusesOperations");

        Assert.Contains("NOPERM", line.Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<StoreException>(() => Write(state, "a"));
        Assert.False(await state.Run("EXISTS", database => database.KeyExistsAsync("bff:test:{other}")));
        Redis.Primary.Allow("wait");
        await Eventually.True(() => Takes(state));
    }

    [RedisFact]
    public async Task Keys_that_are_there_are_read_while_there_is_no_replica()
    {
        await using (var before = await Ready())
        {
            await before.GetRequiredService<IKeyRing>().Current("cursors");
        }

        Redis.Replica.Stop();
        await using var services = await Ready();
        var ring = services.GetRequiredService<IKeyRing>();

        Assert.NotNull(await ring.Current("cursors"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ring.Current("sync").AsTask());
    }

    [RedisFact]
    public async Task A_cluster_is_not_used_with_it_and_the_log_says_why()
    {
        using var cluster = RedisCluster.Run();
        using var log = new LogRecorder();
        await using var services = Provider(cluster.ConnectionString, log);
        var state = services.GetRequiredService<RedisState>();
        state.Start();

        var line = await log.Until(e => e.Event.Name == "RedisReplicasOfCluster");

        Assert.Contains("State:Replicas", line.Message, StringComparison.Ordinal);
        Assert.False(state.IsAvailable);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Write(state, "a"));
    }

    public void Dispose()
    {
        _pair?.Dispose();
        _logging.Dispose();
    }

    private Task<ServiceProvider> Ready(LogRecorder? log = null) => StateEngines.Ready(Provider(Redis.ConnectionString, log));

    private static ServiceProvider Provider(string connectionString, LogRecorder? log = null) =>
        StateEngines.Provider(
            connectionString,
            timeout: "00:00:01",
            log: log ?? new LogRecorder(),
            more: static builder => builder.Configuration["State:Replicas"] = "1"
        );

    private RedisState State()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("ConnectionStrings:redis", Redis.ConnectionString)])
            .Build();
        return new(configuration, Options.Create(new StateOptions { Replicas = 1 }), _logging.CreateLogger<RedisState>(), _clock);
    }

    private static Task<RedisResult> Write(RedisState state, string value) => state.Evaluate(Append, ["bff:test:{a}"], [value]);

    private static async Task<bool> Takes(RedisState state)
    {
        try
        {
            await Write(state, "again");
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    /// <summary>Waits until a durable write succeeds. Advances the clock, which the probes use.</summary>
    private async Task Takes(RedisState state, bool byClock)
    {
        var looks = 0;
        await Eventually.True(async () =>
        {
            if (byClock && ++looks % 25 == 0)
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
            }

            return state.IsAvailable && await Takes(state);
        });
    }

    private long Waits()
    {
        const string Calls = "cmdstat_wait:calls=";
        var text = Redis.Primary.Command("INFO", "commandstats");
        var at = text.IndexOf(Calls, StringComparison.Ordinal);
        return at < 0
            ? 0
            : long.Parse(text.AsSpan(at + Calls.Length, text.AsSpan(at + Calls.Length).IndexOf(',')), CultureInfo.InvariantCulture);
    }
}
