using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>Keeps the same buckets in process: for a single instance, and for each instance by itself while Redis is away.</summary>
internal sealed class EmbeddedLimitStore(TimeProvider time) : ILimitStore
{
    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, 64).Select(_ => new Stripe())];

    public bool IsAway => false;

    public ValueTask<StoreAnswer> Take(string tag, LevelDemand[] levels)
    {
        var stripe = StripeOf(tag);
        lock (stripe)
        {
            var clock = (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
            var isAdmitted = true;
            Span<Bucket> buckets = new Bucket[levels.Length];
            for (var i = 0; i < levels.Length; i++)
            {
                var known =
                    stripe.Buckets.GetValueOrDefault((tag, levels[i].Key))
                    ?? new Bucket { Units = levels[i].Policy.CapacityUnits, At = clock };
                buckets[i] = Refreshed(known, levels[i], clock);
                isAdmitted &= Left(buckets[i], levels[i].Policy) >= levels[i].Need;
            }

            var states = new LevelState[levels.Length];
            for (var i = 0; i < levels.Length; i++)
            {
                var (bucket, level) = (buckets[i], levels[i]);
                var taken = isAdmitted ? Math.Max(0, Math.Min(level.Want, Left(bucket, level.Policy))) : 0;
                bucket.Units -= taken * BucketPolicy.UnitsPerToken;
                bucket.Used += level.Policy.PerDay is null ? 0 : taken;
                states[i] = new(taken, bucket.Units, bucket.Used);
                if (taken > 0 || level.Back > 0 || bucket.HasStepped)
                {
                    Keep(stripe, tag, level, bucket);
                }
            }

            stripe.SweepAfterAWhile(clock);
            return new(new StoreAnswer(clock, isAdmitted, states));
        }
    }

    public ValueTask<LeaseRotation> Join(string instance) => new(LeaseRotation.Alone);

    public ValueTask<IReadOnlyDictionary<DateOnly, long>> Overage(string tag)
    {
        var stripe = StripeOf(tag);
        lock (stripe)
        {
            return new(
                stripe
                    .Overage.Where(o => o.Key.Tag == tag)
                    .ToDictionary(o => DateOnly.FromDateTime(DateTime.UnixEpoch.AddDays(o.Key.Day)), o => o.Value)
            );
        }
    }

    private static Bucket Refreshed(Bucket known, in LevelDemand level, long clock)
    {
        var hasStepped = known.At > clock; // A clock that went back adds no tokens; from here on, time passes as usual.
        var day = clock / BucketPolicy.MicrosPerDay;
        // The use of a later day counts for today, so a clock that went back gives no new quota.
        var usedBefore = known.Day >= day ? known.Used : 0;
        var used = usedBefore;
        var units = level.Policy.Refilled(known.Units, Math.Max(0, clock - known.At));
        if (level.Back > 0)
        {
            units = Math.Min(level.Policy.CapacityUnits, units + (level.Back * BucketPolicy.UnitsPerToken));
            used = level.BackDay >= day ? Math.Max(0, used - level.Back) : used;
        }

        return new Bucket
        {
            Units = units,
            At = clock,
            Day = day,
            Used = used,
            UsedBefore = usedBefore,
            HasStepped = hasStepped,
        };
    }

    private static long Left(Bucket bucket, BucketPolicy policy)
    {
        var left = bucket.Units / BucketPolicy.UnitsPerToken;
        return policy.Ceiling is { } ceiling ? Math.Min(left, ceiling - bucket.Used) : left;
    }

    private static void Keep(Stripe stripe, string tag, in LevelDemand level, Bucket bucket)
    {
        bucket.FullAt = bucket.At + level.Policy.MicrosUntil(level.Policy.CapacityUnits, bucket.Units);
        if (level.Policy.PerDay is { } quota)
        {
            bucket.FullAt = Math.Max(bucket.FullAt, (bucket.Day + 1) * BucketPolicy.MicrosPerDay);
            var over = Math.Max(0, bucket.Used - quota) - Math.Max(0, bucket.UsedBefore - quota);
            if (over != 0)
            {
                stripe.Overage[(tag, bucket.Day)] = stripe.Overage.GetValueOrDefault((tag, bucket.Day)) + over;
            }
        }

        stripe.Buckets[(tag, level.Key)] = bucket;
    }

    private Stripe StripeOf(string tag) => _stripes[(uint)string.GetHashCode(tag, StringComparison.Ordinal) % (uint)_stripes.Length];

    private sealed class Bucket
    {
        public long Units { get; set; }

        public long At { get; init; }

        public long Day { get; init; }

        public long Used { get; set; }

        public long UsedBefore { get; init; }

        public bool HasStepped { get; init; }

        /// <summary>Time from which the bucket is full and need not be kept.</summary>
        public long FullAt { get; set; }
    }

    private sealed class Stripe
    {
        private const long SweepEveryMicros = 10_000_000;
        private long _sweepAt;

        public Dictionary<(string Tag, string Key), Bucket> Buckets { get; } = [];

        public Dictionary<(string Tag, long Day), long> Overage { get; } = [];

        public void SweepAfterAWhile(long now)
        {
            if (now < _sweepAt && _sweepAt - now <= SweepEveryMicros)
            {
                return;
            }

            _sweepAt = now + SweepEveryMicros;
            foreach (var (key, bucket) in Buckets)
            {
                if (bucket.FullAt < now)
                {
                    Buckets.Remove(key);
                }
            }

            foreach (var key in Overage.Keys.Where(k => k.Day < (now / BucketPolicy.MicrosPerDay) - 93).ToList())
            {
                Overage.Remove(key);
            }
        }
    }
}
