using Bff.Configuration;
using Bff.State;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// Decides a request: 1. on lease, without a round trip, where the mode allows; 2. else in one call to the store;
/// 3. and when the store is away as the plan says: with buckets of this instance alone, or not at all.
/// </summary>
internal sealed class LimitDecider(
    ILimitStore store,
    LocalLimits local,
    LimitLeases leases,
    Reloadable<LimitSettings> settings,
    RateLimitMetrics metrics,
    TimeProvider time
)
{
    private const int RenewalsPerRequest = 8;

    /// <summary>Decides without waiting, if that is possible. Allocates nothing for a request that it admits.</summary>
    public bool TryDecide(LimitSet set, int units, int cost, out Decision decision)
    {
        if (settings.Current.Mode == LimitMode.Leased)
        {
            var now = time.GetTimestamp();
            if (leases.TrySpend(set, units, cost, now))
            {
                decision = Spent(set, units, cost);
                metrics.Count(set, decision);
                return true;
            }
        }

        decision = default;
        return false;
    }

    /// <summary>Decides, asking the store if need be; waits at most for <c>State:Timeout</c>.</summary>
    /// <param name="set">The buckets.</param>
    /// <param name="units">Requests' worth: 1, or as many as a batch has items.</param>
    /// <param name="cost">Of one.</param>
    /// <param name="isPeek">Only looks whether there is enough.</param>
    public async ValueTask<Decision> Decide(LimitSet set, int units, int cost, bool isPeek = false)
    {
        Decision decision;
        if (store.IsAway)
        {
            decision = await WithoutStore(set, units, cost, isPeek);
            metrics.Count(set, decision);
            return decision;
        }

        try
        {
            decision =
                settings.Current.Mode == LimitMode.Leased && !isPeek && set.IsLeasable(units, cost)
                    ? await OnLease(set, units, cost)
                    : await Ask(store, DecisionSource.Store, set, units, cost, isPeek);
        }
        catch (StoreException)
        {
            decision = await WithoutStore(set, units, cost, isPeek);
        }

        metrics.Count(set, decision);
        return decision;
    }

    private ValueTask<Decision> WithoutStore(LimitSet set, int units, int cost, bool isPeek) =>
        set.Plan.OnStoreFailure == StoreFailure.Reject
            ? new(Decision.Unavailable)
            : Ask(local.Store, DecisionSource.Local, set, units, cost, isPeek);

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

        return await Ask(store, DecisionSource.Store, set, units, cost, isPeek: false);
    }

    private static async ValueTask<Decision> Ask(ILimitStore asked, DecisionSource source, LimitSet set, int units, int cost, bool isPeek)
    {
        var demands = set.Demands(units, cost, isPeek);
        var answer = await asked.Take(set.Tag, demands);
        var builder = default(DecisionBuilder);
        for (var i = 0; i < demands.Length; i++)
        {
            var state = answer.Levels[i];
            builder.Add(demands[i].Policy, state.Units, state.Used, answer.NowMicros, state.Taken, answer.IsAdmitted ? 0 : demands[i].Need);
        }

        return answer.IsAdmitted ? builder.Admitted(source) : builder.Refused(source);
    }

    /// <summary>What is left is what the store had when it was last asked, and what this instance holds of it.</summary>
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

            // What has refilled since is another's as likely as this one's: it counts again once the store says so.
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

/// <summary>The buckets of this instance alone, for the time while the shared store is away.</summary>
internal sealed class LocalLimits(TimeProvider time)
{
    public ILimitStore Store { get; } = new EmbeddedLimitStore(time);
}
