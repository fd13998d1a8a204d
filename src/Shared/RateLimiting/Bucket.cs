using System.Collections.Concurrent;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>What the store last said of a bucket.</summary>
internal sealed record BucketSighting(long Units, long Used, long NowMicros, long Timestamp);

/// <summary>One instance's view of one shared bucket: what it holds on lease, and what it last saw of the rest.</summary>
internal sealed class Bucket(string tag, string key, BucketPolicy policy)
{
    private readonly Lock _lock = new();
    private long _available;
    private long _pending;
    private long _expiresAt;
    private long _leaseDay;
    private long _deniedUntil;
    private long _renewAfter;
    private BucketSighting? _seen;

    public string Tag => tag;

    public string Key => key;

    public BucketPolicy Policy => policy;

    /// <summary>An endpoint's own bucket counts requests; the others count cost.</summary>
    public bool CountsRequests { get; } = policy.Name == BucketPolicy.EndpointName;

    public BucketSighting? Seen => Volatile.Read(ref _seen);

    public long Available => Volatile.Read(ref _available);

    /// <summary>A cost larger than the bucket empties a full one; it could never be paid otherwise.</summary>
    public long Need(int units, int cost) => Math.Min(policy.Burst, CountsRequests ? units : (long)units * cost);

    /// <summary>Spends tokens held on lease; false when there are not enough or the lease has ended.</summary>
    public bool TrySpend(long tokens, long now)
    {
        if (now >= Volatile.Read(ref _expiresAt))
        {
            return false;
        }

        var available = Volatile.Read(ref _available);
        while (available >= tokens)
        {
            var seen = Interlocked.CompareExchange(ref _available, available - tokens, available);
            if (seen == available)
            {
                return true;
            }

            available = seen;
        }

        return false;
    }

    /// <summary>Undoes <see cref="TrySpend"/> when another level refused.</summary>
    public void Unspend(long tokens) => Interlocked.Add(ref _available, tokens);

    public bool WantsRenewal(long now) =>
        Available <= policy.LeaseLow
        && policy.LeaseLow > 0
        && now >= Volatile.Read(ref _deniedUntil)
        && now >= Volatile.Read(ref _renewAfter);

    /// <summary>The store had too little a moment ago: asking again would be in vain.</summary>
    public bool IsDenied(long need, long now) =>
        now < Volatile.Read(ref _deniedUntil) && (Available < need || now >= Volatile.Read(ref _expiresAt));

    public void Deny(long until) => Volatile.Write(ref _deniedUntil, until);

    /// <summary>Background renewal failed; requests that need the store find out by themselves.</summary>
    public void RenewAfter(long then) => Volatile.Write(ref _renewAfter, then);

    /// <summary>
    /// What to ask of the store so that <paramref name="need"/> can be spent, and the lease is full again; at most 5 % of the bucket is on
    /// its way or held.
    /// </summary>
    public LevelDemand Demand(long need, long now)
    {
        lock (_lock)
        {
            var back = TakeExpired(now);
            var held = Available;
            var shortage = Math.Max(0, need - held);
            var isLow = shortage > 0 || held <= policy.LeaseLow;
            var want = isLow ? Math.Max(shortage, policy.LeaseMax - held - _pending) : 0;
            _pending += want;
            return new(key, policy, shortage, want, back, _leaseDay);
        }
    }

    /// <summary>Books what came of a <see cref="Demand"/>; null when nothing is known.</summary>
    public void Settle(in LevelDemand demand, LevelState? state, long nowMicros, long now, long expiresAt)
    {
        lock (_lock)
        {
            _pending -= demand.Want;
            if (state is { } after)
            {
                See(after, nowMicros, now);
                if (after.Taken > 0)
                {
                    _leaseDay = nowMicros / BucketPolicy.MicrosPerDay;
                    Volatile.Write(ref _expiresAt, expiresAt);
                    Interlocked.Add(ref _available, after.Taken);
                }
            }
        }
    }

    public void See(in LevelState state, long nowMicros, long now) =>
        Volatile.Write(ref _seen, new(state.Units, state.Used, nowMicros, now));

    /// <summary>Takes what is to go back: all of it when <paramref name="now"/> is past the lease's end.</summary>
    public (long Tokens, long Day) TakeBack(long now)
    {
        lock (_lock)
        {
            return (TakeExpired(now), _leaseDay);
        }
    }

    private long TakeExpired(long now) => now >= Volatile.Read(ref _expiresAt) ? Interlocked.Exchange(ref _available, 0) : 0;
}

/// <summary>
/// One <see cref="Bucket"/> per shared bucket for as long as it is used, so that an instance holds one lease of each.
/// </summary>
internal sealed class BucketRegistry
{
    private readonly ConcurrentDictionary<(string Tag, string Key), WeakReference<Bucket>> _buckets = new();

    public Bucket Bucket(string tag, string key, BucketPolicy policy)
    {
        while (true)
        {
            var known = _buckets.GetOrAdd((tag, key), static (k, p) => new(new(k.Tag, k.Key, p)), policy);
            if (known.TryGetTarget(out var bucket) && bucket.Policy == policy)
            {
                return bucket;
            }

            _buckets.TryRemove(new((tag, key), known)); // Collected, or of an earlier configuration.
        }
    }

    public void Trim()
    {
        foreach (var entry in _buckets)
        {
            if (!entry.Value.TryGetTarget(out _))
            {
                _buckets.TryRemove(entry);
            }
        }
    }
}
