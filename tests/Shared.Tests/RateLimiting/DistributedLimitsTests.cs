using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Bff.RateLimiting;
using Bff.Shared.Tests.State;
using Bff.Tenancy;
using Bff.TestKit;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>Tests that several instances on one real Redis share one bucket.</summary>
public sealed partial class DistributedLimitsTests : IDisposable
{
    private const int Burst = 1_000;
    private const int PerSecond = 500;
    private static readonly (string, string)[] Plan =
    [
        ("Plans:free:Burst", "1000"),
        ("Plans:free:RequestsPerMinute", "30000"),
        ("Plans:free:OnStoreFailure", "Reject"),
    ];

    private RedisServer? _server;

    private RedisServer Server => _server ??= RedisServer.Run();

    public enum Event
    {
        Nothing,
        InstanceDiesAndReturns,
        RedisRestarts,
    }

    [RedisTheory]
    [InlineData(LimitMode.Exact, Event.Nothing)]
    [InlineData(LimitMode.Exact, Event.InstanceDiesAndReturns)]
    [InlineData(LimitMode.Exact, Event.RedisRestarts)]
    [InlineData(LimitMode.Leased, Event.Nothing)]
    [InlineData(LimitMode.Leased, Event.InstanceDiesAndReturns)]
    [InlineData(LimitMode.Leased, Event.RedisRestarts)]
    internal async Task Three_instances_with_200_callers_admit_as_many_requests_as_one_bucket(LimitMode mode, Event happening)
    {
        var (admitted, least, most) = await Run(Server.ConnectionString, mode, happening, Server);
        Assert.True(admitted <= most, $"{admitted} admitted, at most {most} were there");
        var share = mode == LimitMode.Exact ? 0.99 : 0.95;
        Assert.True(admitted >= share * least, $"{admitted} admitted of at least {least}");
        if (mode == LimitMode.Leased && happening == Event.Nothing)
        {
            Assert.InRange(RoundTrips(), 1, admitted / 20);
        }
    }

    [RedisTheory]
    [InlineData(LimitMode.Exact)]
    [InlineData(LimitMode.Leased)]
    internal async Task Three_instances_on_a_cluster_admit_as_many_requests_as_one_bucket(LimitMode mode)
    {
        using var cluster = RedisCluster.Run();
        var (admitted, least, most) = await Run(cluster.ConnectionString, mode, Event.InstanceDiesAndReturns, null);
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
                admitted += (await instance.Decide(set)).Outcome == DecisionOutcome.Admitted ? 1 : 0;
            }
        }

        Assert.Equal(800, admitted);
        Assert.InRange(RoundTrips(), 1, 800 / 20);
    }

    [RedisFact]
    public async Task No_request_waits_for_a_frozen_Redis_while_a_lease_lasts()
    {
        await using var instance = await LimitInstance.Start(
            Server.ConnectionString,
            LimitMode.Leased,
            new ManualTimeProvider(),
            ("Plans:free:Burst", "100000"),
            ("Plans:free:RequestsPerMinute", "1"),
            ("Plans:free:OnStoreFailure", "Reject")
        );
        var set = instance.Set();
        await instance.Decide(set);
        Server.Freeze();
        var held = set.Levels[0].Available;
        var spent = 0L;
        var isOver = false;
        Parallel.For(
            0,
            8,
            _ =>
            {
                while (!Volatile.Read(ref isOver))
                {
                    if (instance.Decider.TryDecide(set, 1, 1, out var decision))
                    {
                        Assert.Equal((DecisionOutcome.Admitted, DecisionSource.Lease), (decision.Outcome, decision.Source));
                        Interlocked.Increment(ref spent);
                    }
                    else
                    {
                        Volatile.Write(ref isOver, true); // The lease is used up.
                    }
                }
            }
        );
        Server.Continue();
        Assert.InRange(spent, 100, held); // The renewal that started at the last fifth of the lease is still waiting.
    }

    [RedisFact]
    public async Task Unused_leases_return_to_the_bucket_after_their_second_and_when_the_host_stops()
    {
        (string, string)[] plan =
        [
            ("Plans:free:Burst", "1000"),
            ("Plans:free:RequestsPerMinute", "1"),
            ("Plans:free:OnStoreFailure", "Reject"),
        ];
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
    internal async Task A_caller_that_waits_for_Retry_After_is_admitted(LimitMode mode)
    {
        await using var instance = await LimitInstance.Start(
            Server.ConnectionString,
            mode,
            ("Plans:free:Burst", "200"),
            ("Plans:free:RequestsPerMinute", "60"),
            ("Plans:free:OnStoreFailure", "Reject")
        );
        var set = instance.Set();
        for (var round = 0; round < 2; round++)
        {
            Decision decision;
            while ((decision = await instance.Decide(set)).Outcome == DecisionOutcome.Admitted) { }

            Assert.Equal(1, decision.Refusal!.RetryAfterSeconds);
            Assert.Equal(["burst"], decision.Refusal.Violated);
            var waited = Stopwatch.StartNew();
            await RedisStateTests.Until(() => Task.FromResult(waited.Elapsed > TimeSpan.FromSeconds(1)));
            Assert.Equal(DecisionOutcome.Admitted, (await instance.Decide(set)).Outcome);
        }
    }

    [RedisTheory]
    [InlineData(LimitMode.Exact, StoreFailure.Local)]
    [InlineData(LimitMode.Exact, StoreFailure.Reject)]
    [InlineData(LimitMode.Leased, StoreFailure.Local)]
    internal async Task A_frozen_Redis_delays_only_the_first_requests_and_the_plan_decides_until_it_is_back(
        LimitMode mode,
        StoreFailure policy
    )
    {
        await using var instance = await LimitInstance.Start(
            Server.ConnectionString,
            mode,
            ("State:Timeout", "00:00:00.100"),
            ("Plans:free:Burst", "1000"),
            ("Plans:free:OnStoreFailure", policy.ToString())
        );
        var set = instance.Set();
        await RedisStateTests.Until(async () =>
            await instance.Decide(set) is { Outcome: DecisionOutcome.Admitted, Source: not DecisionSource.Local }
        );

        Server.Freeze();
        await RedisStateTests.Until(async () =>
        {
            await instance.Decide(set);
            return !instance.Redis.IsAvailable;
        });
        while (mode == LimitMode.Leased && (await instance.Decide(set)).Source == DecisionSource.Lease) { }

        for (var i = 0; i < 100; i++)
        {
            var deciding = instance.Decide(set);
            Assert.True(deciding.IsCompleted, "It waits.");
            var decision = await deciding;
            Assert.Equal(policy == StoreFailure.Local ? DecisionOutcome.Admitted : DecisionOutcome.Unavailable, decision.Outcome);
            Assert.Equal(policy == StoreFailure.Local ? DecisionSource.Local : DecisionSource.Store, decision.Source);
        }

        Server.Continue();
        await RedisStateTests.Until(async () =>
            await instance.Decide(set) is { Outcome: DecisionOutcome.Admitted, Source: not DecisionSource.Local }
        );
    }

    [RedisTheory]
    [InlineData(LimitMode.Exact)]
    [InlineData(LimitMode.Leased)]
    internal async Task A_Redis_that_lost_its_data_and_scripts_starts_with_one_full_bucket_for_all_instances(LimitMode mode)
    {
        (string, string)[] plan =
        [
            ("Plans:free:Burst", "200"),
            ("Plans:free:RequestsPerMinute", "1"),
            ("Plans:free:OnStoreFailure", "Reject"),
        ];
        await using var one = await LimitInstance.Start(Server.ConnectionString, mode, plan);
        await using var other = await LimitInstance.Start(Server.ConnectionString, mode, plan);
        LimitInstance[] both = [one, other];
        async Task<int> Drain()
        {
            var admitted = 0;
            foreach (var instance in both)
            {
                while ((await instance.Decide(instance.Set())).Outcome == DecisionOutcome.Admitted)
                {
                    admitted++;
                }
            }

            return admitted;
        }

        var before = 0;
        // Tokens that an instance leased too late to spend return to the bucket after its last request.
        await RedisStateTests.Until(async () => (before += await Drain()) >= 200);
        Assert.InRange(before, 200, 201);
        Server.FlushAll();
        Server.Command("SCRIPT", "FLUSH");
        var after = 0;
        // An instance that refused on lease asks the store again within a second.
        await RedisStateTests.Until(async () => (after += await Drain()) >= 199);
        Assert.InRange(after, 199, 201); // One token may have refilled meanwhile.
    }

    private static async Task<(long Admitted, double Least, double Most)> Run(
        string redis,
        LimitMode mode,
        Event happening,
        RedisServer? server
    )
    {
        var instances = new List<LimitInstance>();
        for (var i = 0; i < 3; i++)
        {
            instances.Add(await LimitInstance.Start(redis, mode, Plan));
        }

        // Up to one lease per instance is lost with a dead instance or left over at the end, however long the run is. A longer run makes
        // their share smaller.
        var duration = TimeSpan.FromSeconds(mode == LimitMode.Exact ? 6 : 12);
        var seen = new Admissions(Burst, PerSecond);
        var alive = instances.ToArray();
        var unknown = 0;
        var restarted = 0L;
        var isOver = false;
        async Task Call(int caller)
        {
            while (!Volatile.Read(ref isOver))
            {
                var all = Volatile.Read(ref alive);
                var instance = all[caller % all.Length];
                var asked = seen.Elapsed;
                var outcome = (await instance.Decide(instance.Set())).Outcome;
                if (outcome != DecisionOutcome.Unavailable)
                {
                    seen.Count(outcome == DecisionOutcome.Admitted, asked);
                }
                else if (happening == Event.InstanceDiesAndReturns || asked.Ticks < Volatile.Read(ref restarted))
                {
                    Interlocked.Increment(ref unknown); // The request may have been admitted, but the instance can no longer say so.
                }

                // All callers continue until one is refused after the duration, because a slow machine may have left unspent tokens before.
                // Each must not wait for a refusal of its own: the last one alone may be slower than the refill.
                if (outcome == DecisionOutcome.Refused && asked > duration)
                {
                    Volatile.Write(ref isOver, true);
                }

                if (outcome != DecisionOutcome.Admitted)
                {
                    await Task.Delay(20); // Callers that never pause would load the machine instead of the limiter.
                }

                await Task.Yield();
            }
        }

        var callers = Enumerable.Range(0, 200).Select(c => Task.Run(() => Call(c))).ToList();
        if (happening != Event.Nothing)
        {
            await RedisStateTests.Until(() => Task.FromResult(seen.Elapsed > duration / 3));
            if (happening == Event.InstanceDiesAndReturns)
            {
                Volatile.Write(ref alive, [instances[0], instances[1]]);
                instances[2].Die();
                await RedisStateTests.Until(() => Task.FromResult(seen.Elapsed > duration / 2));
                instances.Add(await LimitInstance.Start(redis, mode, Plan));
                Volatile.Write(ref alive, [instances[0], instances[1], instances[3]]);
            }
            else
            {
                Volatile.Write(ref restarted, seen.Elapsed.Ticks);
                server!.Stop();
                server.Start();
            }
        }

        await Task.WhenAll(callers);
        foreach (var instance in instances)
        {
            await instance.DisposeAsync();
        }

        return (seen.Admitted, seen.Least - unknown, seen.Most);
    }

    /// <summary>Returns the number of script calls that the server has received.</summary>
    private int RoundTrips() =>
        Calls().Matches(Server.Command("INFO", "commandstats")).Sum(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"cmdstat_evalsha:calls=(\d+)")]
    private static partial Regex Calls();

    public void Dispose() => _server?.Dispose();
}
