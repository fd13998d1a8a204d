using Bff.State;
using Microsoft.Extensions.Logging;
using PartnerBff.Requests;
using PartnerBff.Usage;

namespace PartnerBff.Tests.Account;

/// <summary>Stored usage and request logs of an account behave the same on both engines.</summary>
[StoreSuite(typeof(IUsageStore))]
[StoreSuite(typeof(IRequestLogStore))]
public sealed class AccountStoreTests : IDisposable
{
    private static readonly DateOnly Day = DateOnly.FromDateTime(DateTime.UtcNow);
    private readonly ILoggerFactory _logging = WatchedLogging.NewFactory();
    private RedisServer? _server;
    private RedisState? _state;

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Usage_adds_up_by_account_day_and_endpoint(string engine)
    {
        var store = await Connect(engine) is { } redis
            ? new RedisUsageStore(redis)
            : (IUsageStore)new EmbeddedUsageStore(TimeProvider.System);
        await store.Add("live:acme", Day, new("one", 1), [("GET /a", Usage(200, 500)), ("GET /b", Usage(404))], default);
        await store.Add("live:acme", Day, new("one", 2), [("GET /a", Usage(200))], default);
        await store.Add("test:acme", Day, new("one", 2), [("GET /a", Usage(200))], default);

        var read = await store.Read("live:acme", Day, default);
        Assert.Equal(["GET /a", "GET /b"], read.Keys.Order());
        Assert.Equal(
            (3, 0, 1, 6),
            (read["GET /a"].Requests, read["GET /a"].ClientErrors, read["GET /a"].ServerErrors, read["GET /a"].Overage)
        );
        Assert.Equal(
            (1, 1, 0, 2),
            (read["GET /b"].Requests, read["GET /b"].ClientErrors, read["GET /b"].ServerErrors, read["GET /b"].Overage)
        );
        Assert.Equal(1, (await store.Read("test:acme", Day, default))["GET /a"].Requests);
        Assert.Empty(await store.Read("live:acme", Day.AddDays(-1), default));
        Assert.Empty(await store.Read("live:globex", Day, default));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_flush_is_added_once_however_often_and_however_late_it_arrives(string engine)
    {
        var store = await Connect(engine) is { } redis
            ? new RedisUsageStore(redis)
            : (IUsageStore)new EmbeddedUsageStore(TimeProvider.System);
        await store.Add("live:acme", Day, new("one", 1), [("GET /a", Usage(200))], default);
        await store.Add("live:acme", Day, new("one", 1), [("GET /a", Usage(200))], default);
        await store.Add("live:acme", Day, new("one", 3), [("GET /a", Usage(200, 200))], default);
        await store.Add("live:acme", Day, new("one", 1), [("GET /a", Usage(200))], default);
        await store.Add("live:acme", Day, new("two", 1), [("GET /b", Usage(200))], default);
        await store.Add("live:acme", Day.AddDays(1), new("one", 3), [("GET /a", Usage(200))], default);

        var read = await store.Read("live:acme", Day, default);
        Assert.Equal([("GET /a", 3), ("GET /b", 1)], read.Select(r => (r.Key, r.Value.Requests)).Order());
        Assert.Equal(1, (await store.Read("live:acme", Day.AddDays(1), default))["GET /a"].Requests);
    }

    [Theory]
    [RedisData("hget")]
    [RedisData("hset")]
    [RedisData("hincrby")]
    [RedisData("expire")]
    public async Task A_flush_that_Redis_refused_in_the_middle_is_added_once_when_it_comes_again(string command)
    {
        var store = new RedisUsageStore((await Connect("redis"))!);
        var counts = Enumerable.Range(0, 2_000).Select(i => ($"GET /{i}", Usage(200))).ToList(); // More than one command holds.
        await store.Add("live:acme", Day, new("one", 1), counts, default);

        _server!.Deny(command);
        await Record.ExceptionAsync(async () => await store.Add("live:acme", Day, new("one", 2), counts, default));
        _server.Allow(command);
        await store.Add("live:acme", Day, new("one", 2), counts, default);
        await store.Add("live:acme", Day, new("one", 2), counts, default);

        var read = await store.Read("live:acme", Day, default);
        Assert.Equal(2_000, read.Count);
        Assert.All(read.Values, u => Assert.Equal(2, u.Requests));
        Assert.NotEqual(":-1\r\n", _server.Command("TTL", $"bff:usage:{{live:acme}}:{Day:yyyy-MM-dd}"));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task The_latest_thousand_requests_of_an_account_are_kept_newest_first(string engine)
    {
        var store = await Connect(engine) is { } redis ? new RedisRequestLogStore(redis) : (IRequestLogStore)new EmbeddedRequestLogStore();
        await store.Add("live:acme", [.. Enumerable.Range(0, IRequestLogStore.Kept).Select(Request)], default);
        await store.Add("live:acme", [Request(5_000), Request(5_001)], default);

        var read = await store.Read("live:acme", default);
        Assert.Equal(IRequestLogStore.Kept, read.Count);
        Assert.Equal(["r-5001", "r-5000", "r-999"], read.Take(3).Select(r => r.Id));
        Assert.Equal("r-2", read[^1].Id);
        Assert.Empty(await store.Read("live:globex", default));
    }

    public void Dispose()
    {
        _state?.Dispose();
        _server?.Dispose();
        _logging.Dispose();
    }

    private static LoggedRequest Request(int n) =>
        new($"r-{n}", DateTimeOffset.UnixEpoch.AddSeconds(n), "GET", "/v1/orders", 200, 1.5, null);

    private static EndpointUsage Usage(params int[] statuses)
    {
        var usage = new EndpointUsage();
        foreach (var status in statuses)
        {
            usage.Add(status, TimeSpan.FromMilliseconds(5), overage: 2);
        }

        return usage;
    }

    /// <summary>Connects to Redis, or returns null for the embedded engine.</summary>
    private async Task<RedisState?> Connect(string engine)
    {
        if (engine == "embedded")
        {
            return null;
        }

        _server = RedisServer.Run();
        _state = await Stores.Connect(_server, _logging);
        return _state;
    }
}
