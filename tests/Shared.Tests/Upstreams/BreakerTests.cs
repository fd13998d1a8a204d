using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

public sealed class BreakerTests
{
    [Fact]
    public async Task A_failing_service_gets_no_calls_until_the_probe_after_the_break()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time, ("Upstreams:users:Retries", "0"));
        var users = bench.Client("users");
        bench.Services.Users.Faults.Set(FaultMode.Status);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(UpstreamOutcome.Failed, (await users.Get("users/u-1001", Any, bench.Call())).Outcome);
        }

        var refused = await users.Get("users/u-1001", Any, bench.Call());
        Assert.Equal(UpstreamOutcome.Unavailable, refused.Outcome);
        Assert.InRange(refused.RetryAfter!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(5));
        Assert.Equal(10, bench.Services.Users.Calls.Count);

        bench.Services.Users.Faults.Heal();
        time.Advance(TimeSpan.FromSeconds(5.1));
        Assert.True((await users.Get("users/u-1001", Any, bench.Call())).IsOk);
        Assert.True((await users.Get("users/u-1001", Any, bench.Call())).IsOk);
    }

    [Fact]
    public async Task A_not_found_answer_does_not_count_as_a_failure_of_the_service()
    {
        await using var bench = await StartAsync(new ManualTimeProvider());
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(UpstreamOutcome.NotFound, (await bench.Client("users").Get("users/u-none", Any, bench.Call())).Outcome);
        }
    }

    [Fact]
    public async Task A_full_bulkhead_refuses_at_once()
    {
        await using var bench = await StartAsync(null, ("Upstreams:users:MaxConcurrency", "1"), ("Upstreams:users:MaxQueue", "0"));
        var users = bench.Client("users");
        using var held = bench.Services.Users.Faults.Hold();

        var first = users.Get("users/u-1001", Any, bench.Call()).AsTask();
        await bench.Services.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        Assert.Equal(UpstreamOutcome.Unavailable, (await users.Get("users/u-1001", Any, bench.Call())).Outcome);
        held.Dispose();

        Assert.True((await first).IsOk);
    }
}
