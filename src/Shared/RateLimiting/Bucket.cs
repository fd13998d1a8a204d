using System.Collections.Concurrent;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>State of a bucket as last reported by the store.</summary>
internal sealed record BucketSighting(long Units, long Used, long NowMicros, long Timestamp);

/// <summary>
/// One instance's view of one shared bucket: the tokens that it holds on lease, and the state that it last saw in the store.
/// </summary>
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

    /// <summary>Whether the bucket counts requests, as an endpoint's own bucket does. All others count cost.</summary>
    public bool CountsRequests { get; } = policy.Name == BucketPolicy.EndpointName;

    public BucketSighting? Seen => Volatile.Read(ref _seen);

    public long Available => Volatile.Read(ref _available);

    /// <summary>
    /// Returns the tokens that a request needs. A cost larger than the bucket empties a full bucket; otherwise it could never be paid.
    /// </summary>
    public long Need(int units, int cost) => Math.Min(policy.Burst, CountsRequests ? units : (long)units * cost);

    /// <summary>Spends tokens held on lease. Returns false if there are not enough or the lease has ended.</summary>
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

    /// <summary>Undoes <see cref="TrySpend"/> after another level refused.</summary>
    public void Unspend(long tokens) => Interlocked.Add(ref _available, tokens);

    public bool WantsRenewal(long now) =>
        Available <= policy.LeaseLow
        && policy.LeaseLow > 0
        && now >= Volatile.Read(ref _deniedUntil)
        && now >= Volatile.Read(ref _renewAfter);

    /// <summary>Whether the store had too little a moment ago, so that asking again would be in vain.</summary>
    public bool IsDenied(long need, long now) =>
        now < Volatile.Read(ref _deniedUntil) && (Available < need || now >= Volatile.Read(ref _expiresAt));

    public void Deny(long until) => Volatile.Write(ref _deniedUntil, until);

    /// <summary>Delays the next renewal after one failed in the background. Requests that need the store find out themselves.</summary>
    public void RenewAfter(long then) => Volatile.Write(ref _renewAfter, then);

    /// <summary>
    /// Returns what to ask of the store so that <paramref name="need"/> can be spent and the lease is full again. Tokens held or asked for
    /// are at most 5 % of the bucket.
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

    /// <summary>Records the result of a <see cref="Demand"/>. Null if the result is unknown.</summary>
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

    /// <summary>
    /// Takes the unused tokens that must be given back. There are none before <paramref name="now"/> is past the end of the lease.
    /// </summary>
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
/// Keeps one <see cref="Bucket"/> for each shared bucket while it is in use, so that an instance holds one lease of each.
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

            _buckets.TryRemove(new((tag, key), known)); // Garbage-collected, or of an earlier configuration.
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
