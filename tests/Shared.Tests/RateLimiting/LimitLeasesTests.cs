using Bff.RateLimiting;
using Bff.Tenancy;
using Bff.TestKit;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>
/// Tests instances that share one bucket by leases, on a clock that the test moves, independently of the machine's speed.
/// </summary>
public sealed class LimitLeasesTests
{
    private readonly ManualTimeProvider _clock = new();

    /// <summary>
    /// Loads the instances with several times the bucket's rate. Early refusals are bounded by one lease per instance, and store calls are
    /// rare.
    /// </summary>
    [Theory]
    [InlineData(1, 1_000, 30_000)]
    [InlineData(2, 1_000, 30_000)]
    [InlineData(3, 1_000, 30_000)]
    [InlineData(8, 1_000, 30_000)]
    [InlineData(3, 500, 5_000)]
    [InlineData(3, 1_000, 50_000)]
    [InlineData(2, 440, 60_000)]
    public async Task No_request_is_refused_while_the_bucket_holds_more_than_one_lease_per_instance(int instances, int burst, int perMinute)
    {
        var policy = new BucketPolicy("burst", burst, perMinute);
        var store = new CountingStore(new EmbeddedLimitStore(_clock), LeaseRotation.Alone);
        var all = new List<Instance>();
        for (var i = 0; i < instances; i++)
        {
            all.Add(new(new CountingStore(store, new(i, instances)), policy, _clock));
        }
        var (admitted, millisecond) = (0L, 0);
        var random = new Random(7);
        var most = 0L;
        for (; millisecond < 20_000; millisecond++)
        {
            var before = admitted;
            for (var request = 0; request < 4 * Math.Max(instances, perMinute / 60_000); request++)
            {
                admitted += await all[random.Next(instances)].Decide() ? 1 : 0;
            }

            foreach (var instance in all)
            {
                await instance.Leases.JoinRotation();
            }

            if (admitted == before && millisecond > 1_000) // The instances learn their number in the first second.
            {
                most = Math.Max(most, (await store.Inner.Take("a", [new("b", policy, 0, 0)])).Levels[0].Units / BucketPolicy.UnitsPerToken);
            }

            _clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        var there = burst + (perMinute / 60_000.0 * millisecond);
        Assert.InRange(admitted, there - (instances * 2 * policy.LeaseMax), there + 1);
        Assert.InRange(most, 0, (instances + 1) * policy.LeaseMax);
        Assert.InRange(store.Calls, 1, admitted / 20);
    }

    [Fact]
    public async Task A_caller_refused_for_the_first_time_waits_no_longer_than_a_lease_takes_to_refill()
    {
        var policy = new BucketPolicy("burst", 1_000, 60_000);
        var one = new Instance(new CountingStore(new EmbeddedLimitStore(_clock), LeaseRotation.Alone), policy, _clock);
        for (var second = 0; second < 60; second++)
        {
            Assert.True(await one.Decide());
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        while (await one.Decide()) { }

        _clock.Advance(TimeSpan.FromMilliseconds(50)); // Fifty tokens are a lease, and a thousand tokens refill per second.
        Assert.True(await one.Decide());
    }

    private sealed class Instance(ILimitStore store, BucketPolicy policy, TimeProvider time)
    {
        public LimitLeases Leases { get; } = new(store, time);

        private readonly LimitSet _set = new(
            new Plan
            {
                Name = "free",
                Burst = (int)policy.Burst,
                RequestsPerMinute = (int)policy.PerMinute,
            },
            null,
            new Bucket("a", "b", policy)
        );

        /// <summary>Decides like <see cref="LimitDecider"/>.</summary>
        public async Task<bool> Decide()
        {
            while (true)
            {
                var now = time.GetTimestamp();
                if (Leases.TrySpend(_set, 1, 1, now))
                {
                    return true;
                }

                if (LimitLeases.IsDenied(_set, 1, 1, now))
                {
                    return false;
                }

                await Leases.Renew(_set, 1, 1);
            }
        }
    }

    private sealed class CountingStore(ILimitStore inner, LeaseRotation rotation) : ILimitStore
    {
        private int _calls;

        public ILimitStore Inner => inner;

        public int Calls => _calls;

        public bool IsAway => false;

        public ValueTask<StoreAnswer> Take(string tag, LevelDemand[] levels)
        {
            Interlocked.Increment(ref _calls);
            return inner.Take(tag, levels);
        }

        public ValueTask<LeaseRotation> Join(string instance) => new(rotation);

        public ValueTask<IReadOnlyDictionary<DateOnly, long>> Overage(string tag) => inner.Overage(tag);
    }
}
