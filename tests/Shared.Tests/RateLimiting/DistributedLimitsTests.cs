using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Bff.RateLimiting;
using Bff.Shared.Tests.State;
using Bff.TestKit;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>Several instances on one real Redis are one bucket.</summary>
public sealed partial class DistributedLimitsTests : IDisposable
{
    private const int Burst = 1_000;
    private const int PerSecond = 500;
    private static readonly (string, string)[] Plan =
        [("Plans:free:Burst", "1000"), ("Plans:free:RequestsPerMinute", "30000"), ("Plans:free:OnStoreFailure", "Reject")];

    private RedisServer? _server;

    private RedisServer Server => _server ??= RedisServer.Run();

    public enum Event
    {
        Nothing,
        InstanceDies,
        RedisRestarts,
    }

    [RedisTheory]
    [InlineData(LimitMode.Exact, Event.Nothing)]
    [InlineData(LimitMode.Exact, Event.InstanceDies)]
    [InlineData(LimitMode.Exact, Event.RedisRestarts)]
    [InlineData(LimitMode.Leased, Event.Nothing)]
    [InlineData(LimitMode.Leased, Event.InstanceDies)]
    [InlineData(LimitMode.Leased, Event.RedisRestarts)]
    internal async Task Three_instances_and_200_callers_are_admitted_what_one_bucket_admits(LimitMode mode, Event happening)
    {
        var (admitted, least, most) = await Run(Server.ConnectionString, mode, happening, Server);
        Assert.True(admitted <= most, $"{admitted} admitted, at most {most} were there");
        var share = mode == LimitMode.Exact ? 0.99 : 0.95;
        Assert.True(admitted >= share * least, $"{admitted} admitted of at least {least}");
    }

    [RedisTheory]
    [InlineData(LimitMode.Exact)]
    [InlineData(LimitMode.Leased)]
    internal async Task Three_instances_on_a_cluster_are_admitted_what_one_bucket_admits(LimitMode mode)
    {
        using var cluster = RedisCluster.Run();
        var (admitted, least, most) = await Run(cluster.ConnectionString, mode, Event.InstanceDies, null);
        Assert.InRange(admitted, (mode == LimitMode.Exact ? 0.99 : 0.95) * least, most);
    }

    [RedisFact]
    public async Task Leases_need_at_most_one_round_trip_for_20_admitted_requests()
    {
        await using var one = await LimitInstance.Start(Server.ConnectionString, LimitMode.Leased, Plan);
        await using var other = await LimitInstance.Start(Server.ConnectionString, LimitMode.Leased, Plan);
        var admitted = 0;
        foreach (var instance in (LimitInstance[])[one, other])
        {
            var set = instance.Set();
            for (var i = 0; i < 400; i++)
            {
                admitted += (await instance.Decide(set)).Verdict == Verdict.Admitted ? 1 : 0;
            }
        }

        Assert.Equal(800, admitted);
        Assert.InRange(RoundTrips(), 1, 800 / 20);
    }

    [RedisFact]
    public async Task Unused_leases_go_back_when_their_second_is_over_and_when_the_host_stops()
    {
        (string, string)[] plan = [("Plans:free:Burst", "1000"), ("Plans:free:RequestsPerMinute", "1"), ("Plans:free:OnStoreFailure", "Reject")];
        await using var idle = await LimitInstance.Start(Server.ConnectionString, LimitMode.Leased, plan);
        await using var watcher = await LimitInstance.Start(Server.ConnectionString, LimitMode.Exact, plan);
        await idle.Decide(idle.Set());
        await RedisStateTests.Until(async () => (await watcher.Decider.Decide(watcher.Set(), 1, 1, isPeek: true)).Remaining == 999);
        await idle.Decide(idle.Set());
        Assert.InRange((await watcher.Decider.Decide(watcher.Set(), 1, 1, isPeek: true)).Remaining, 948, 998);
        await idle.Stop();
        Assert.Equal(998, (await watcher.Decider.Decide(watcher.Set(), 1, 1, isPeek: true)).Remaining);
    }

    [RedisTheory]
    [InlineData(LimitMode.Exact)]
    [InlineData(LimitMode.Leased)]
    internal async Task Who_waits_as_told_is_admitted(LimitMode mode)
    {
        await using var instance = await LimitInstance.Start(
            Server.ConnectionString, mode, ("Plans:free:Burst", "200"), ("Plans:free:RequestsPerMinute", "60"), ("Plans:free:OnStoreFailure", "Reject"));
        var set = instance.Set();
        for (var round = 0; round < 2; round++)
        {
            Decision decision;
            while ((decision = await instance.Decide(set)).Verdict == Verdict.Admitted)
            {
            }

            Assert.Equal(1, decision.Refusal!.RetryAfterSeconds);
            Assert.Equal(["burst"], decision.Refusal.Violated);
            var waited = Stopwatch.StartNew();
            await RedisStateTests.Until(() => Task.FromResult(waited.Elapsed > TimeSpan.FromSeconds(1)));
            Assert.Equal(Verdict.Admitted, (await instance.Decide(set)).Verdict);
        }
    }

    [RedisTheory]
    [InlineData(LimitMode.Exact, StoreFailure.Local)]
    [InlineData(LimitMode.Exact, StoreFailure.Reject)]
    [InlineData(LimitMode.Leased, StoreFailure.Local)]
    internal async Task A_frozen_Redis_holds_up_the_first_requests_alone_and_the_plan_says_what_happens_until_it_is_back(LimitMode mode, StoreFailure policy)
    {
        await using var instance = await LimitInstance.Start(
            Server.ConnectionString, mode, ("State:Timeout", "00:00:00.100"), ("Plans:free:Burst", "1000"), ("Plans:free:OnStoreFailure", policy.ToString()));
        var set = instance.Set();
        await RedisStateTests.Until(async () => await instance.Decide(set) is { Verdict: Verdict.Admitted, Source: not DecisionSource.Local });

        Server.Freeze();
        var spent = Stopwatch.StartNew();
        await RedisStateTests.Until(async () =>
        {
            var waited = Stopwatch.StartNew();
            await instance.Decide(set);
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(1), $"waited {waited.Elapsed}"); // 100 ms and what a busy machine adds.
            return !instance.Redis.IsAvailable;
        });
        while (mode == LimitMode.Leased && (await instance.Decide(set)).Source == DecisionSource.Lease)
        {
        }

        var hundred = Stopwatch.StartNew();
        for (var i = 0; i < 100; i++)
        {
            var decision = await instance.Decide(set);
            Assert.Equal(policy == StoreFailure.Local ? Verdict.Admitted : Verdict.Unavailable, decision.Verdict);
            Assert.Equal(policy == StoreFailure.Local ? DecisionSource.Local : DecisionSource.Store, decision.Source);
        }

        Assert.True(hundred.Elapsed < TimeSpan.FromSeconds(2), $"a hundred decisions took {hundred.Elapsed}");
        Server.Continue();
        await RedisStateTests.Until(async () => await instance.Decide(set) is { Verdict: Verdict.Admitted, Source: not DecisionSource.Local });
    }

    private static async Task<(long Admitted, double Least, double Most)> Run(string redis, LimitMode mode, Event happening, RedisServer? server)
    {
        var instances = new List<LimitInstance>();
        for (var i = 0; i < 3; i++)
        {
            instances.Add(await LimitInstance.Start(redis, mode, Plan));
        }

        // What an instance that dies loses, and what the others hold at the last refusal, is up to a lease of each, whatever the run: the longer it is, the smaller their share.
        var duration = TimeSpan.FromSeconds(mode == LimitMode.Exact ? 4 : 18);
        var seen = new Admissions();
        var dead = false;
        async Task Call(int caller)
        {
            var sets = instances.Select(i => i.Set()).ToArray();
            var isDone = false;
            while (!isDone)
            {
                var at = caller % (Volatile.Read(ref dead) ? 2 : 3);
                var asked = seen.Elapsed;
                var verdict = (await instances[at].Decide(sets[at])).Verdict;
                seen.Count(verdict, asked);
                isDone = verdict == Verdict.Refused && asked > duration; // Until then a slow machine may have left tokens that nobody has asked for.
                if (verdict != Verdict.Admitted)
                {
                    await Task.Delay(20); // Two hundred callers that never breathe are a test of the machine.
                }

                await Task.Yield();
            }
        }

        var callers = Enumerable.Range(0, 200).Select(c => Task.Run(() => Call(c))).ToList();
        var overflow = 0.0;
        if (happening != Event.Nothing)
        {
            await RedisStateTests.Until(() => Task.FromResult(seen.Elapsed > duration / 3));
            if (happening == Event.InstanceDies)
            {
                Volatile.Write(ref dead, true);
                instances[2].Die();
            }
            else
            {
                var stopped = seen.Elapsed;
                server!.Stop();
                server.Start();
                var restarted = seen.Elapsed;
                await RedisStateTests.Until(() => Task.FromResult(seen.LastAdmitted > restarted));
                overflow = Math.Max(0, (PerSecond * (seen.LastAdmitted - stopped).TotalSeconds) - Burst); // A full bucket gains nothing.
            }
        }

        await Task.WhenAll(callers);
        foreach (var instance in instances)
        {
            await instance.DisposeAsync();
        }

        return (seen.Admitted, Burst + (PerSecond * (seen.LastRefused - seen.FirstAdmitted).TotalSeconds) - overflow, Burst + (PerSecond * seen.Elapsed.TotalSeconds) + 1);
    }

    /// <summary>Script calls that the server has seen.</summary>
    private int RoundTrips() => Calls().Matches(Server.Command("INFO", "commandstats")).Sum(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"cmdstat_evalsha:calls=(\d+)")]
    private static partial Regex Calls();

    public void Dispose() => _server?.Dispose();
}
