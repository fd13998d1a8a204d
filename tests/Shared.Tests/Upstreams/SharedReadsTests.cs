using System.Collections.Frozen;
using Bff.Dev.Upstreams.Faults;
using Bff.Requests;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests of single-flight: a caller's identical reads in flight are one call, and callers never share one.</summary>
public sealed class SharedReadsTests
{
    private const int Readers = 200;

    [Fact]
    public async Task Identical_reads_of_a_caller_at_once_are_one_call()
    {
        await using var bench = await StartAsync();
        var users = bench.Client("users");
        using var held = bench.Services.Users.Faults.Hold();

        // Each read has its own caller object, as when tokens are verified separately.
        var readers = Enumerable
            .Range(0, Readers)
            .Select(_ => users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask())
            .ToList();
        held.Dispose();

        Assert.All(await Task.WhenAll(readers), a => Assert.Equal("u-1001", a.Value.GetProperty("id").GetString()));
        Assert.Equal(1, bench.Services.Users.Calls.Count);
        Assert.True((await users.Get("users/u-1001", Any, bench.Call(User("u-1001")))).IsOk);
        Assert.Equal(2, bench.Services.Users.Calls.Count); // The answer is not cached.
    }

    [Fact]
    public async Task Identical_queries_of_a_caller_at_once_are_one_call()
    {
        await using var bench = await StartAsync();
        var pricing = bench.Client("pricing");
        using var held = bench.Services.Pricing.Faults.Hold();

        var readers = ((string[])["p-1", "p-1", "p-2", "p-1"])
            .Select(id => Price(pricing, id).Make(bench.Call(User("u-1001"))).AsTask())
            .ToList();
        held.Dispose();

        Assert.All(await Task.WhenAll(readers), a => Assert.True(a.IsOk));
        Assert.Equal(2, bench.Services.Pricing.Calls.Count);
    }

    [Fact]
    public async Task Reads_are_not_shared_across_callers_or_across_different_identity_headers_of_one()
    {
        await using var bench = await StartAsync();
        var users = bench.Client("users");
        using var held = bench.Services.Users.Faults.Hold();
        Caller[] callers =
        [
            User("u-1001"),
            User("u-1002"),
            User("u-1001", "acme"),
            User("u-1001", "globex"),
            new() { Subject = "u-1001", Kind = CallerKind.ApiKey },
            new()
            {
                Subject = "u-1001",
                Kind = CallerKind.Token,
                Roles = ["admin"],
            },
            new()
            {
                Subject = "u-1001",
                Kind = CallerKind.Token,
                Scopes = ((string[])["api"]).ToFrozenSet(),
            },
            Caller.Anonymous,
            Caller.Anonymous,
        ];

        var readers = callers.Select(c => users.Get("users/u-1001", Any, bench.Call(c)).AsTask()).ToList();
        await bench.Services.Users.Calls.ReachAsync(callers.Length).WaitAsync(WaitLimit);
        held.Dispose();

        await Task.WhenAll(readers);
        Assert.Equal(callers.Length, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task A_read_does_not_join_one_that_began_before_an_invalidation()
    {
        // A further attempt would count as the second call.
        await using var bench = await StartAsync(settings: ("Upstreams:users:Retries", "0"));
        var users = bench.Client("users");
        using var held = bench.Services.Users.Faults.Hold();

        var before = users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask();
        bench.Sender.Reads.Invalidated();
        var after = users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask();
        var withIt = users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask();
        await bench.Services.Users.Calls.ReachAsync(2).WaitAsync(WaitLimit);
        held.Dispose();

        Assert.All(await Task.WhenAll(before, after, withIt), a => Assert.True(a.IsOk));
        Assert.Equal(2, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task A_read_does_not_join_one_that_began_before_a_write_of_its_caller_ended()
    {
        // A further attempt would count as the second call.
        await using var bench = await StartAsync(settings: ("Upstreams:users:Retries", "0"));
        var users = bench.Client("users");
        var released = new TaskCompletionSource();
        bench.Services.Users.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Delay,
                Method = "GET",
                Until = released.Task,
            }
        );

        var before = users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask();
        var others = users.Get("users/u-1001", Any, bench.Call(User("u-1002"))).AsTask();
        Assert.True(
            (await users.Write(HttpMethod.Patch, "users/u-1001", """{"name":"Al"}"""u8.ToArray(), Any, bench.Call(User("u-1001")))).IsOk
        );
        var after = users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask();
        var withOthers = users.Get("users/u-1001", Any, bench.Call(User("u-1002"))).AsTask();
        await bench.Services.Users.Calls.ReachAsync(4).WaitAsync(WaitLimit);
        released.SetResult();

        Assert.Equal("Al", (await after).Value.GetProperty("name").GetString());
        await Task.WhenAll(before, others, withOthers);
        Assert.Equal(4, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task When_the_first_of_two_shared_reads_is_cancelled_the_other_is_answered()
    {
        await using var bench = await StartAsync();
        var users = bench.Client("users");
        using var held = bench.Services.Users.Faults.Hold();
        using var gone = new CancellationTokenSource();

        var first = users.Get("users/u-1001", Any, bench.Call(User("u-1001"), cancellation: gone.Token)).AsTask();
        // One other read only: a third might come too late to share the second call.
        var other = users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask();
        await bench.Services.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await bench.Services.Users.Calls.ReachAsync(2).WaitAsync(WaitLimit);
        held.Dispose();

        Assert.True((await other).IsOk);
        Assert.Equal(2, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task Each_shared_read_waits_no_longer_than_its_own_deadline()
    {
        await using var bench = await StartAsync();
        var users = bench.Client("users");
        using var held = bench.Services.Users.Faults.Hold();

        var patient = users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask();
        var hasty = await users
            .Get("users/u-1001", Any, bench.Call(User("u-1001"), within: TimeSpan.FromMilliseconds(50)))
            .AsTask()
            .WaitAsync(WaitLimit);
        Assert.Equal(UpstreamOutcome.Timeout, hasty.Outcome);
        held.Dispose();

        Assert.True((await patient).IsOk);
        Assert.Equal(1, bench.Services.Users.Calls.Count);
    }

    [Fact]
    public async Task A_failure_is_shared_and_not_kept()
    {
        await using var bench = await StartAsync(null, ("Upstreams:users:Retries", "0"));
        var users = bench.Client("users");
        var released = new TaskCompletionSource();
        bench.Services.Users.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Reset,
                Count = 1,
                Until = released.Task,
            }
        );

        var readers = Enumerable.Range(0, 5).Select(_ => users.Get("users/u-1001", Any, bench.Call(User("u-1001"))).AsTask()).ToList();
        released.SetResult();
        Assert.All(await Task.WhenAll(readers), a => Assert.Equal(UpstreamOutcome.Failed, a.Outcome));
        Assert.Equal(1, bench.Services.Users.Calls.Count);
        Assert.True((await users.Get("users/u-1001", Any, bench.Call(User("u-1001")))).IsOk);
    }
}
