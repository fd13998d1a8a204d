using Bff.State;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// Decides a request by the shared buckets, and when the store is away as the plan says: with buckets of this instance alone, or not at
/// all.
/// </summary>
internal sealed class LimitDecider(ILimitStore store, LeasedLimits shared, LocalLimits local, RateLimitMetrics metrics)
{
    private readonly StoreLimits _local = new(local.Store, DecisionSource.Local);

    /// <summary>Decides without waiting, if that is possible. Allocates nothing for a request that it admits.</summary>
    public bool TryDecide(LimitSet set, int units, int cost, out Decision decision)
    {
        if (!shared.TryDecide(set, units, cost, out decision))
        {
            return false;
        }

        metrics.Count(set, decision);
        return true;
    }

    /// <summary>Decides, asking the store if need be; waits at most for <c>State:Timeout</c>.</summary>
    /// <param name="set">The buckets.</param>
    /// <param name="units">Requests' worth: 1, or as many as a batch has items.</param>
    /// <param name="cost">Of one.</param>
    /// <param name="isPeek">Only looks whether there is enough.</param>
    public async ValueTask<Decision> Decide(LimitSet set, int units, int cost, bool isPeek = false)
    {
        Decision decision;
        try
        {
            decision = store.IsAway ? await WithoutStore(set, units, cost, isPeek) : await shared.Decide(set, units, cost, isPeek);
        }
        catch (StoreException)
        {
            decision = await WithoutStore(set, units, cost, isPeek);
        }

        metrics.Count(set, decision);
        return decision;
    }

    private ValueTask<Decision> WithoutStore(LimitSet set, int units, int cost, bool isPeek) =>
        set.Plan.OnStoreFailure == StoreFailure.Reject ? new(Decision.Unavailable) : _local.Decide(set, units, cost, isPeek);
}

/// <summary>The buckets of this instance alone, for the time while the shared store is away.</summary>
internal sealed class LocalLimits(TimeProvider time)
{
    public ILimitStore Store { get; } = new EmbeddedLimitStore(time);
}
