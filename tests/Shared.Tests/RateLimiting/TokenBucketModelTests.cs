using System.Numerics;
using Bff.RateLimiting;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.Tenancy;
using Bff.TestKit;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>Checks that the buckets answer any requests like a simple reference bucket that calculates with unbounded numbers.</summary>
public sealed class TokenBucketModelTests
{
    private static readonly BucketPolicy[] Policies =
    [
        new("burst", 5, 1),
        new("burst", 50, 600_000, PerDay: 40, DayCeiling: 60),
        new("burst", 3, 60_000, PerDay: 9),
        new("burst", 10_000_000, 10_000_000),
        new("burst", 1, 7),
    ];

    private sealed record Step(int[] Buckets, int Need, int Want, int Back, bool IsBackOfToday, int Pause);

    [Fact]
    public void The_embedded_buckets_follow_the_model()
    {
        Prop.ForAll(
                Steps(),
                steps =>
                {
                    var clock = new ManualTimeProvider(new DateTimeOffset(2026, 1, 1, 23, 59, 59, 900, TimeSpan.Zero));
                    return FollowsTheModel(
                            new EmbeddedLimitStore(clock),
                            "m",
                            steps,
                            pause =>
                            {
                                clock.Advance(TimeSpan.FromMilliseconds(pause * pause));
                                return Task.CompletedTask;
                            }
                        )
                        .GetAwaiter()
                        .GetResult();
                }
            )
            .QuickCheckThrowOnFailure();
    }

    [RedisFact]
    public async Task The_script_s_buckets_follow_the_model()
    {
        using var server = RedisServer.Run();
        await using var provider = await StateEngines.Ready(server.ConnectionString);
        var store = new RedisLimitStore(provider.GetRequiredService<RedisState>(), new HostingEnvironment { ApplicationName = "Model" });
        var run = 0;
        await Task.Factory.StartNew(
            () =>
                Prop.ForAll(
                        Steps(),
                        steps =>
                            FollowsTheModel(store, $"m{run++}", steps, static pause => pause > 8 ? Task.Delay(1) : Task.CompletedTask)
                                .GetAwaiter()
                                .GetResult()
                    )
                    .QuickCheckThrowOnFailure(),
            default,
            TaskCreationOptions.LongRunning, // The check blocks its thread while it waits for work of the thread pool.
            TaskScheduler.Default
        );
    }

    private static Arbitrary<List<Step>> Steps()
    {
        var step =
            from buckets in Gen.SubListOf(Enumerable.Range(0, Policies.Length)).Where(b => b.Count > 0)
            from need in Gen.Choose(0, 4)
            from want in Gen.OneOf(Gen.Choose(0, 6), Gen.Choose(0, 100))
            from back in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Choose(1, 10)))
            from today in Gen.Elements(true, true, false)
            from pause in Gen.Choose(0, 10)
            select new Step([.. buckets], need, want, back, today, pause);
        return step.ListOf().Select(s => s.ToList()).ToArbitrary();
    }

    private static async Task<bool> FollowsTheModel(ILimitStore store, string tag, List<Step> steps, Func<int, Task> pass)
    {
        var model = Policies.Select(p => new Model(p)).ToArray();
        var today = 0L;
        foreach (var step in steps)
        {
            await pass(step.Pause);
            var backDay = step.IsBackOfToday ? today : today - 1;
            var demands = step
                .Buckets.Select(b => new LevelDemand($"b{b}", Policies[b], step.Need, step.Want, step.Back, backDay))
                .ToArray();
            var answer = await store.Take(tag, demands);
            today = answer.NowMicros / BucketPolicy.MicrosPerDay;

            var buckets = step.Buckets.Select(b => model[b]).ToList();
            foreach (var bucket in buckets)
            {
                bucket.Refresh(answer.NowMicros, step.Back, backDay);
            }

            var admitted = buckets.All(b => b.Left >= step.Need);
            if (admitted != answer.IsAdmitted)
            {
                return false;
            }

            for (var i = 0; i < buckets.Count; i++)
            {
                var taken = admitted ? buckets[i].Take(step.Want) : 0;
                if (answer.Levels[i] != new LevelState((long)taken, (long)buckets[i].Units, (long)buckets[i].Used))
                {
                    return false;
                }
            }
        }

        return model.Sum(m => m.Over) == (await store.Overage(tag)).Values.Sum();
    }

    /// <summary>The reference bucket, one step at a time.</summary>
    private sealed class Model(BucketPolicy policy)
    {
        private static readonly BigInteger Token = 60_000_000;
        private BigInteger _at = -1;
        private BigInteger _day;

        public BigInteger Units { get; private set; } = policy.Burst * Token;

        public BigInteger Used { get; private set; }

        public long Over { get; private set; }

        public BigInteger Left => policy.Ceiling is { } ceiling ? BigInteger.Min(Units / Token, ceiling - Used) : Units / Token;

        public void Refresh(BigInteger now, int back, long backDay)
        {
            if (_at >= 0)
            {
                Units = BigInteger.Min(policy.Burst * Token, Units + ((now - _at) * policy.PerMinute));
            }

            _at = now;
            var day = now / 86_400_000_000;
            Used = day == _day ? Used : 0;
            _day = day;
            Units = BigInteger.Min(policy.Burst * Token, Units + (back * Token));
            if (back > 0 && backDay == day)
            {
                Count(BigInteger.Max(0, Used - back));
            }
        }

        public BigInteger Take(int want)
        {
            var taken = BigInteger.Max(0, BigInteger.Min(want, Left));
            Units -= taken * Token;
            Count(Used + taken);
            return taken;
        }

        private void Count(BigInteger used)
        {
            if (policy.PerDay is { } quota)
            {
                Over += (long)(BigInteger.Max(0, used - quota) - BigInteger.Max(0, Used - quota));
                Used = used;
            }
        }
    }
}
