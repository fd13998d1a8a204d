using Bff.State;
using Microsoft.Extensions.Logging;
using PartnerBff.Usage;

namespace PartnerBff.Tests.Account;

/// <summary>No request is lost on its way into the store, whatever happens at the same moment.</summary>
[Trait("Suite", "Store")]
public sealed class UsageRecorderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Counts_that_are_added_during_a_flush_are_written_by_the_next_flush()
    {
        var clock = new InterruptedTimeProvider(new ManualTimeProvider(Now));
        var store = new EmbeddedUsageStore(clock);
        using var logging = WatchedLogging.NewFactory();
        using var recorder = new UsageRecorder(store, clock, logging.CreateLogger<UsageRecorder>());
        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);
        clock.BeforeLook(() => recorder.Flush(default).GetAwaiter().GetResult());

        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);
        await recorder.Flush(default);

        Assert.Equal(2, await Requests(store));
    }

    [Fact]
    public async Task A_reader_that_disconnects_during_a_flush_loses_no_counts()
    {
        using var reader = new CancellationTokenSource();
        var clock = new ManualTimeProvider(Now);
        var store = new LeavingReader(new EmbeddedUsageStore(clock), reader);
        using var logging = WatchedLogging.NewFactory();
        using var recorder = new UsageRecorder(store, clock, logging.CreateLogger<UsageRecorder>());
        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);

        await Record.ExceptionAsync(() => recorder.Flush(reader.Token));
        await recorder.Flush(default);

        Assert.True(reader.IsCancellationRequested);
        Assert.Equal(1, await Requests(store));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_write_whose_answer_is_lost_is_counted_once(string engine)
    {
        using var logging = WatchedLogging.NewFactory();
        using var server = engine == "redis" ? RedisServer.Run() : null;
        using var redis = server is null ? null : await Stores.Connect(server, logging);
        var clock = new ManualTimeProvider(Now);
        var store = new Unreliable(redis is null ? new EmbeddedUsageStore(clock) : new RedisUsageStore(redis))
        {
            AfterAdding = _ => new StoreUnavailableException(),
        };
        using var recorder = new UsageRecorder(store, clock, logging.CreateLogger<UsageRecorder>());
        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);
        await recorder.Flush(default);
        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);
        await recorder.Flush(default);
        Assert.Equal(1, await Requests(store)); // New counts wait until the earlier write is confirmed.

        store.AfterAdding = null;
        await recorder.Flush(default);
        await recorder.Flush(default);

        Assert.Equal(2, await Requests(store));
    }

    [RedisFact]
    public async Task A_write_that_times_out_and_happens_later_is_counted_once()
    {
        using var logging = WatchedLogging.NewFactory();
        using var server = RedisServer.Run();
        using var redis = await Stores.Connect(server, logging, TimeSpan.FromSeconds(1));
        var store = new RedisUsageStore(redis);
        await store.Add("other", DateOnly.FromDateTime(Now.UtcDateTime), new("other", 1), [], default); // Loads the script on the server.
        using var recorder = new UsageRecorder(store, new ManualTimeProvider(Now), logging.CreateLogger<UsageRecorder>());
        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);
        server.Freeze();
        await recorder.Flush(default);
        server.Continue();

        recorder.Add("acme", "GET /a", 200, TimeSpan.Zero, 0);
        await Eventually.True(async () =>
        {
            await recorder.Flush(default);
            return redis.IsAvailable && await Requests(store) >= 2;
        });

        Assert.Equal(2, await Requests(store));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task One_accounts_failure_loses_no_other_accounts_counts_and_is_logged_once(string engine)
    {
        using var log = new LogRecorder();
        using var logging = LoggerFactory.Create(builder => builder.AddProvider(log));
        using var server = engine == "redis" ? RedisServer.Run() : null;
        using var redis = server is null ? null : await Stores.Connect(server, logging);
        var clock = new ManualTimeProvider(Now);
        var store = new Unreliable(redis is null ? new EmbeddedUsageStore(clock) : new RedisUsageStore(redis))
        {
            BeforeAdding = account => redis is null && account == "poison" ? new InvalidOperationException("Refused.") : null,
        };
        server?.Command("SET", "bff:usage:{poison}:2026-01-01", "not a hash");
        using var recorder = new UsageRecorder(store, clock, logging.CreateLogger<UsageRecorder>());
        foreach (var account in (string[])["a", "poison", "acme"])
        {
            recorder.Add(account, "GET /a", 200, TimeSpan.Zero, 0);
        }

        await recorder.Flush(default);
        await recorder.Flush(default);
        Assert.Equal((1, 1), (await Requests(store), await Requests(store, "a")));
        Assert.Single(log.Entries, e => e.Level >= LogLevel.Warning && e.Message.Contains("poison", StringComparison.Ordinal));

        store.BeforeAdding = null;
        server?.Command("DEL", "bff:usage:{poison}:2026-01-01");
        await recorder.Flush(default);
        Assert.Equal((1, 1, 1), (await Requests(store), await Requests(store, "a"), await Requests(store, "poison")));
        Assert.Single(log.Entries, e => e.Message.Contains("succeeds again for poison", StringComparison.Ordinal));
    }

    private static async Task<long> Requests(IUsageStore store, string account = "acme") =>
        (await store.Read(account, DateOnly.FromDateTime(Now.UtcDateTime), default)).Values.Sum(u => u.Requests);

    /// <summary>A store whose client goes away in the middle of the write.</summary>
    private sealed class LeavingReader(IUsageStore inner, CancellationTokenSource reader) : IUsageStore
    {
        public async ValueTask Add(
            string account,
            DateOnly day,
            UsageFlush flush,
            IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts,
            CancellationToken cancellation
        )
        {
            await reader.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
            await inner.Add(account, day, flush, counts, cancellation);
        }

        public ValueTask<IReadOnlyDictionary<string, EndpointUsage>> Read(string account, DateOnly day, CancellationToken cancellation) =>
            inner.Read(account, day, cancellation);
    }

    /// <summary>A store that fails before or after it has done the operation.</summary>
    private sealed class Unreliable(IUsageStore inner) : IUsageStore
    {
        public Func<string, Exception?>? BeforeAdding { get; set; }

        public Func<string, Exception?>? AfterAdding { get; set; }

        public async ValueTask Add(
            string account,
            DateOnly day,
            UsageFlush flush,
            IReadOnlyCollection<(string Endpoint, EndpointUsage Usage)> counts,
            CancellationToken cancellation
        )
        {
            if (BeforeAdding?.Invoke(account) is { } early)
            {
                throw early;
            }

            await inner.Add(account, day, flush, counts, cancellation);
            if (AfterAdding?.Invoke(account) is { } late)
            {
                throw late;
            }
        }

        public ValueTask<IReadOnlyDictionary<string, EndpointUsage>> Read(string account, DateOnly day, CancellationToken cancellation) =>
            inner.Read(account, day, cancellation);
    }
}
