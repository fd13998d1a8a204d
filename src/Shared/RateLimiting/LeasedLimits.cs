using Bff.Configuration;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// Decides by the shared buckets: 1. on lease, without a round trip, if the mode allows it; 2. otherwise in one call to the store.
/// </summary>
internal sealed class LeasedLimits(ILimitStore store, LimitLeases leases, Reloadable<LimitSettings> settings, TimeProvider time)
{
    private const int RenewalsPerRequest = 8;
    private readonly StoreLimits _store = new(store, DecisionSource.Store);

    private bool IsOn => settings.Current.Mode == LimitMode.Leased;

    /// <summary>Decides without waiting, if possible. Allocates nothing for a request that it admits.</summary>
    public bool TryDecide(LimitSet set, int units, int cost, out Decision decision)
    {
        if (IsOn && leases.TrySpend(set, units, cost, time.GetTimestamp()))
        {
            decision = Spent(set, units, cost);
            return true;
        }

        decision = default;
        return false;
    }

    /// <summary>Decides, and asks the store if necessary.</summary>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    public ValueTask<Decision> Decide(LimitSet set, int units, int cost, bool isPeek) =>
        IsOn && !isPeek && set.IsLeasable(units, cost) ? OnLease(set, units, cost) : _store.Decide(set, units, cost, isPeek);

    private async ValueTask<Decision> OnLease(LimitSet set, int units, int cost)
    {
        for (var renewals = 0; renewals < RenewalsPerRequest; renewals++)
        {
            var now = time.GetTimestamp();
            if (leases.TrySpend(set, units, cost, now))
            {
                return Spent(set, units, cost);
            }

            if (LimitLeases.IsDenied(set, units, cost, now))
            {
                return Denied(set, units, cost, now);
            }

            await leases.Renew(set, units, cost);
        }

        return await _store.Decide(set, units, cost, isPeek: false);
    }

    /// <summary>Reports what the store had left when it was last asked, plus what this instance holds of it.</summary>
    private static Decision Spent(LimitSet set, int units, int cost)
    {
        var builder = default(DecisionBuilder);
        foreach (var level in set.Levels)
        {
            var seen = level.Seen!;
            builder.Add(
                level.Policy,
                seen.Units + (level.Available * BucketPolicy.UnitsPerToken),
                seen.Used - level.Available,
                seen.NowMicros,
                level.Need(units, cost),
                0
            );
        }

        return builder.Admitted(DecisionSource.Lease);
    }

    private Decision Denied(LimitSet set, int units, int cost, long now)
    {
        var builder = default(DecisionBuilder);
        foreach (var level in set.Levels)
        {
            if (level.Seen is not { } seen)
            {
                continue;
            }

            var elapsed = (long)((now - seen.Timestamp) * (1_000_000.0 / time.TimestampFrequency));
            var need = level.Need(units, cost);
            var denied = level.IsDenied(need, now);
            var refilled = level.Policy.Refilled(seen.Units, elapsed) + (level.Available * BucketPolicy.UnitsPerToken);

            // Another instance may take what has refilled since, so it counts again only when the store reports it.
            builder.Add(
                level.Policy,
                denied ? Math.Min(refilled, (need * BucketPolicy.UnitsPerToken) - 1) : refilled,
                seen.Used,
                seen.NowMicros + elapsed,
                0,
                denied ? need : 0
            );
        }

        return builder.Refused(DecisionSource.Lease);
    }
}
