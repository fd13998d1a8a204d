using Bff.Concurrency;
using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests that a change of an upstream's state is logged once, not per request.</summary>
public sealed class UpstreamLogTests
{
    private const string Path = "users/u-1001";
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task A_breaker_is_logged_when_it_opens_and_when_it_closes_and_not_between()
    {
        await using var bench = await StartAsync(_time, ("Upstreams:users:Retries", "0"));
        bench.Services.Users.Faults.Set(FaultMode.Status);
        await Ask(bench, 12);
        _time.Advance(TimeSpan.FromSeconds(5.1));
        await Ask(bench, 2); // The probe fails, so the breaker stays open.

        Assert.Equal(["BreakerOpened"], Told(bench));

        bench.Services.Users.Faults.Heal();
        _time.Advance(TimeSpan.FromSeconds(5.1));
        await Ask(bench, 2);

        Assert.Equal(["BreakerOpened", "BreakerClosed"], Told(bench));
        Assert.All(bench.Log.Entries, e => Assert.Contains("users (main)", e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Retries_are_logged_once_and_again_after_a_minute_without_one()
    {
        await using var bench = await StartAsync(
            _time,
            ("Upstreams:users:Retries", "1"),
            ("Upstreams:users:Breaker:MinimumThroughput", "100")
        );
        bench.Services.Users.Faults.Set(FaultMode.Status);
        await Ask(bench, 3);
        _time.Advance(Episode.Quiet / 2);
        await Ask(bench, 1);
        Assert.Equal(["RetriesBegan"], Told(bench));

        _time.Advance(Episode.Quiet);
        await Ask(bench, 1);

        Assert.Equal(["RetriesBegan", "RetriesBegan"], Told(bench));
    }

    [Fact]
    public async Task A_hedge_is_logged()
    {
        await using var bench = await StartAsync(_time, ("Upstreams:users:HedgeAfter", "00:00:00.100"));
        using var held = bench.Services.Users.Faults.Hold();
        var call = bench.Client("users").Get(Path, Any, bench.Call()).AsTask();
        await bench.Services.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        await bench.Services.Users.Calls.ReachAsync(2).WaitAsync(WaitLimit);
        held.Dispose();
        await call;

        Assert.Equal(["HedgesBegan"], Told(bench));
    }

    [Fact]
    public async Task The_log_distinguishes_upstreams_and_the_sandbox()
    {
        await using var bench = await StartAsync(
            _time,
            ("Upstreams:users:Retries", "0"),
            ("Sandbox:Upstreams:users:Address", "http://127.0.0.1:9"),
            ("Sandbox:Upstreams:users:Retries", "0")
        );
        for (var i = 0; i < 12; i++)
        {
            await bench.Client("users").Get(Path, Any, bench.Call(User("u-1001", sandbox: true)));
        }

        Assert.Contains("sandbox/users (main)", Assert.Single(bench.Log.Entries).Message, StringComparison.Ordinal);
    }

    private async Task Ask(UpstreamBench bench, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await Pausing(_time, bench.Client("users").Get(Path, Any, bench.Call()).AsTask());
        }
    }

    private static IEnumerable<string?> Told(UpstreamBench bench) => bench.Log.Entries.Select(e => e.Event.Name);
}
