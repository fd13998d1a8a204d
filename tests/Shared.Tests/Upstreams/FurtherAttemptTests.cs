using Bff.Concurrency;
using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>
/// Tests of attempts after the first: a refusal never replaces an answer, a cancellation says nothing of the service, and a further attempt
/// has time to help.
/// </summary>
public sealed class FurtherAttemptTests
{
    private const string Path = "users/u-1001";
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(5.1);

    [Fact]
    public async Task A_probe_that_takes_longer_than_the_hedge_s_delay_is_waited_for_and_closes_the_breaker()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time, ("Upstreams:users:Retries", "0"), ("Upstreams:users:HedgeAfter", "00:00:00.100"));
        await Open(bench, time);
        time.Advance(Break);
        bench.Services.Users.Calls.Clear();
        using var held = bench.Services.Users.Faults.Hold();

        var probe = bench.Client("users").Get(Path, Any, bench.Call()).AsTask();
        await bench.Services.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        time.Advance(TimeSpan.FromMilliseconds(200));
        held.Dispose();

        Assert.True((await probe.WaitAsync(WaitLimit)).IsOk);
        Assert.Equal(1, bench.Services.Users.Calls.Count);
        Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);
    }

    [Fact]
    public async Task When_the_caller_of_a_probe_leaves_the_next_call_is_the_probe()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time, ("Upstreams:users:Retries", "0"));
        var users = bench.Client("users");
        await Open(bench, time);
        time.Advance(Break);
        bench.Services.Users.Faults.Set(FaultMode.Hang);
        bench.Services.Users.Calls.Clear();
        using var gone = new CancellationTokenSource();

        var probe = users.Get(Path, Any, bench.Call(cancellation: gone.Token)).AsTask();
        await bench.Services.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probe.WaitAsync(WaitLimit));
        bench.Services.Users.Faults.Set(FaultMode.Status);
        var next = await users.Get(Path, Any, bench.Call());
        var refused = await users.Get(Path, Any, bench.Call());

        Assert.Equal(UpstreamOutcome.Failed, next.Outcome);
        Assert.Equal(UpstreamOutcome.Unavailable, refused.Outcome);
        Assert.Equal(2, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task When_the_caller_leaves_before_the_probe_is_sent_the_next_call_is_the_probe()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time, ("Upstreams:users:Retries", "0"));
        await Open(bench, time);
        time.Advance(Break);
        var request = UpstreamBench.Request();
        var call = new PooledCall
        {
            Request = new(HttpMethod.Get, new Uri(Path, UriKind.Relative)),
            Body = BodyUse.Decoded,
            Deadline = Deadline.In(WaitLimit, time),
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await bench.Registry.Find("users", request)!.PoolFor(request).Send(call, new CancellationToken(canceled: true))
        );

        Assert.True((await bench.Client("users").Get(Path, Any, bench.Call())).IsOk);
    }

    [Fact]
    public async Task A_failure_that_opens_the_breaker_stays_a_failure()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(
            time,
            ("Upstreams:users:Retries", "1"),
            ("Upstreams:users:Breaker:MinimumThroughput", "2")
        );
        bench.Services.Users.Faults.Set(FaultMode.Status);
        var users = bench.Client("users");

        var first = await Pausing(time, users.Get(Path, Any, bench.Call()).AsTask());

        Assert.Equal((UpstreamOutcome.Failed, 2), (first.Outcome, bench.Services.Users.Calls.Count));
        Assert.Equal(UpstreamOutcome.Unavailable, (await users.Get(Path, Any, bench.Call())).Outcome);
    }

    [Theory]
    [InlineData("Retries")]
    [InlineData("HedgeAfter")]
    public async Task A_further_attempt_that_the_breaker_refuses_leaves_the_answer_of_the_first_one(string way)
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time, ("Upstreams:users:Breaker:MinimumThroughput", "3"));
        bench.Configure(
            way == "Retries" ? ("Upstreams:users:Retries", "1") : ("Upstreams:users:HedgeAfter", "00:00:00.100"),
            ("Upstreams:users:Breaker:MinimumThroughput", "3")
        );
        bench.Services.Users.Faults.Set(FaultMode.Status);
        var users = bench.Client("users");
        await Pausing(time, users.Get(Path, Any, bench.Call()).AsTask());

        var second = await Pausing(time, users.Get(Path, Any, bench.Call()).AsTask());

        Assert.Equal((UpstreamOutcome.Failed, 500, 3), (second.Outcome, second.Status, bench.Services.Users.Calls.Count));
    }

    [Fact]
    public async Task A_read_is_helped_by_its_second_attempt_although_the_first_would_take_all_the_time()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time, ("Upstreams:users:Timeout", "00:00:01"));
        bench.Services.Users.Faults.Set(new Fault { Mode = FaultMode.Hang, Count = 1 });

        var pending = bench.Client("users").Get(Path, Any, bench.Call(within: TimeSpan.FromSeconds(1))).AsTask();
        await bench.Services.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        time.Advance(TimeSpan.FromMilliseconds(500));

        Assert.True((await pending.WaitAsync(WaitLimit)).IsOk);
        Assert.Equal(2, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task A_service_that_is_merely_slow_has_its_whole_timeout()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time, ("Upstreams:users:Timeout", "00:00:01"));
        using var held = bench.Services.Users.Faults.Hold();

        var pending = bench.Client("users").Get(Path, Any, bench.Call(within: TimeSpan.FromSeconds(1))).AsTask();
        await bench.Services.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        time.Advance(TimeSpan.FromMilliseconds(999));
        held.Dispose();

        Assert.True((await pending.WaitAsync(WaitLimit)).IsOk);
    }

    [Fact]
    public async Task A_fallback_has_time_to_answer_for_a_service_that_hangs()
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time);
        bench.Configure(
            ("Upstreams:spare:Address", bench.Services.Users.Address.AbsoluteUri),
            ("Upstreams:users:Address", bench.Services.Products.Address.AbsoluteUri),
            ("Upstreams:users:Fallback", "spare"),
            ("Upstreams:users:Retries", "0"),
            ("Upstreams:users:Timeout", "00:00:01")
        );
        bench.Services.Products.Faults.Set(FaultMode.Hang);

        var pending = bench.Client("users").Get(Path, Any, bench.Call(within: TimeSpan.FromSeconds(1))).AsTask();
        await bench.Services.Products.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        time.Advance(TimeSpan.FromMilliseconds(600));
        var answer = await pending.WaitAsync(WaitLimit);

        Assert.True(answer is { IsOk: true, FromFallback: true });
    }

    [Theory]
    [InlineData("hedged")]
    [InlineData("timed out")]
    public async Task An_address_that_hangs_is_left_out_after_a_few_calls(string way)
    {
        var time = new ManualTimeProvider();
        await using var bench = await StartAsync(time);
        bench.Configure(
            ("Upstreams:users:Addresses:0", bench.Services.Users.Address.AbsoluteUri),
            ("Upstreams:users:Addresses:1", bench.Services.Media.Address.AbsoluteUri),
            way == "hedged" ? ("Upstreams:users:HedgeAfter", "00:00:00.100") : ("Upstreams:users:Retries", "1"),
            ("Upstreams:users:Timeout", "00:00:01"),
            ("Upstreams:users:Breaker:MinimumThroughput", "1000")
        );
        bench.Services.Users.Faults.Set(FaultMode.Hang);
        var users = bench.Client("users");

        for (var i = 0; i < 60; i++)
        {
            await Pausing(
                time,
                users.Get(Path, Any, bench.Call(within: TimeSpan.FromSeconds(60))).AsTask(),
                bench.Services.Users.Calls.Count
            );
        }

        Assert.InRange(bench.Services.Users.Calls.Count, 3, 20);

        async Task Pausing(ManualTimeProvider clock, Task pending, int before)
        {
            while (!pending.IsCompleted)
            {
                await Task.WhenAny(pending, bench.Services.Users.Calls.ReachAsync(before + 1));
                if (!pending.IsCompleted)
                {
                    clock.Advance(TimeSpan.FromMilliseconds(20));
                    await Task.Yield();
                }
            }
        }
    }

    private static async Task Open(UpstreamBench bench, ManualTimeProvider time)
    {
        bench.Services.Users.Faults.Set(FaultMode.Status);
        for (var i = 0; i < 40; i++)
        {
            if ((await Pausing(time, bench.Client("users").Get(Path, Any, bench.Call()).AsTask())).Outcome == UpstreamOutcome.Unavailable)
            {
                bench.Services.Users.Faults.Heal();
                return;
            }
        }

        Assert.Fail("The breaker has not opened.");
    }
}
