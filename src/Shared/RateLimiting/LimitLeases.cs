using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Bff.Concurrency;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// Manages leases: small amounts taken from the shared buckets in advance, spent without a round trip, and given back if they are not used.
/// A lease is at most 5 % of its bucket and lasts at most 1 s. Renewal starts in the background before a lease is used up.
/// </summary>
internal sealed class LimitLeases(ILimitStore store, TimeProvider time)
{
    private const int GivenBackAtOnce = 64;

    private readonly ConcurrentDictionary<Bucket, bool> _holding = new();
    private readonly SingleFlight<Bucket> _renewals = new();
    private readonly string _instance = Guid.NewGuid().ToString("N");
    private readonly long _second = time.TimestampFrequency;
    private LeaseRotation _rotation = LeaseRotation.Alone;
    private long _rotationUntil;

    /// <summary>Spends at every level, or at none. Allocates nothing unless a renewal starts.</summary>
    public bool TrySpend(LimitSet set, int units, int cost, long now)
    {
        var levels = set.Levels;
        var renew = false;
        for (var i = 0; i < levels.Length; i++)
        {
            if (!levels[i].TrySpend(levels[i].Need(units, cost), now))
            {
                while (--i >= 0)
                {
                    levels[i].Unspend(levels[i].Need(units, cost));
                }

                return false;
            }

            renew |= levels[i].WantsRenewal(now);
        }

        if (renew && !_renewals.IsRunning(levels[0]))
        {
            // No request waits for the renewal, because the lease still holds. If it fails, at most a lease's worth is lost, and the next
            // request that needs a lease finds out.
            _ = Renew(set, 0, 0);
        }

        return true;
    }

    /// <summary>Whether the store is known to have too little at some level.</summary>
    public static bool IsDenied(LimitSet set, int units, int cost, long now)
    {
        foreach (var level in set.Levels)
        {
            if (level.IsDenied(level.Need(units, cost), now))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fills the leases of all levels. Concurrent calls for the same caller share one call to the store.</summary>
    public Task Renew(LimitSet set, int units, int cost) =>
        _renewals.Run(
            set.Levels[0],
            (Self: this, Set: set, Units: units, Cost: cost),
            static (_, to) => to.Self.Ask(to.Set, to.Units, to.Cost)
        );

    /// <summary>
    /// Learns once a second this instance's position among those that hold leases. An instance that holds none is not counted.
    /// </summary>
    public async Task JoinRotation()
    {
        var now = time.GetTimestamp();
        if (now >= _rotationUntil && !_holding.IsEmpty)
        {
            _rotationUntil = now + _second;
            _rotation = await store.Join(_instance);
        }
    }

    /// <summary>
    /// Gives back the tokens that were not used in time, and all of them when the host stops. Tokens that cannot be given back are lost: at
    /// most a lease's worth.
    /// </summary>
    public async Task GiveBack(bool everything)
    {
        ExceptionDispatchInfo? failed = null;
        var now = everything ? long.MaxValue : time.GetTimestamp();
        var giving = new List<Task>(GivenBackAtOnce);
        foreach (var (bucket, _) in _holding)
        {
            var (tokens, day) = bucket.TakeBack(now);
            if (tokens > 0)
            {
                giving.Add(store.Take(bucket.Tag, [new(bucket.Key, bucket.Policy, 0, 0, tokens, day)]).AsTask());
                if (giving.Count == GivenBackAtOnce)
                {
                    failed = await Failure(Task.WhenAll(giving)) ?? failed;
                    giving.Clear();
                }
            }
            else if (bucket.Available == 0)
            {
                _holding.TryRemove(bucket, out _);
                if (bucket.Available > 0)
                {
                    _holding[bucket] = true; // A renewal happened in between.
                }
            }
        }

        failed = await Failure(Task.WhenAll(giving)) ?? failed;
        failed?.Throw();
    }

    /// <summary>Asks the store for tokens. Returns false if there is nothing to ask for.</summary>
    private async Task<bool> Ask(LimitSet set, int units, int cost)
    {
        var asked = time.GetTimestamp();
        var demands = new List<LevelDemand>(set.Levels.Length);
        var buckets = new List<Bucket>(set.Levels.Length);
        foreach (var level in set.Levels)
        {
            var demand = level.Demand(units == 0 ? 0 : level.Need(units, cost), asked);
            if (demand.Need > 0 || demand.Want > 0 || demand.Back > 0)
            {
                demands.Add(demand);
                buckets.Add(level);
            }
        }

        if (demands.Count == 0)
        {
            return false;
        }

        StoreAnswer? answer = null;
        try
        {
            answer = await store.Take(set.Tag, [.. demands]);
            return true;
        }
        finally
        {
            Settle(demands, buckets, answer, asked);
        }
    }

    private void Settle(List<LevelDemand> demands, List<Bucket> buckets, StoreAnswer? answer, long asked)
    {
        var now = time.GetTimestamp();
        for (var i = 0; i < buckets.Count; i++)
        {
            var (bucket, demand) = (buckets[i], demands[i]);
            bucket.Settle(demand, answer?.Levels[i], answer?.NowMicros ?? 0, now, asked + _second);
            if (answer is not { } known)
            {
                bucket.RenewAfter(now + (_second / 10));
            }
            else if (Left(bucket.Policy, known.Levels[i]) < (known.IsAdmitted ? bucket.Policy.LeaseRest : demand.Need))
            {
                bucket.Deny(now + (_rotation.MicrosUntil(bucket.Policy, known.NowMicros) * _second / 1_000_000));
            }

            if (bucket.Available > 0)
            {
                _holding.TryAdd(bucket, true);
            }
        }
    }

    private static long Left(BucketPolicy policy, in LevelState state)
    {
        var left = state.Units / BucketPolicy.UnitsPerToken;
        return policy.Ceiling is { } ceiling ? Math.Min(left, ceiling - state.Used) : left;
    }

    private static async Task<ExceptionDispatchInfo?> Failure(Task call)
    {
        await call.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return call.Exception is { } failure ? ExceptionDispatchInfo.Capture(failure.InnerException!) : null;
    }
}
