using Bff.State;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// Decides a request by the shared buckets. While the store is away, the plan says whether this instance's own buckets decide or every
/// request is refused.
/// </summary>
internal sealed class LimitDecider(ILimitStore store, LeasedLimits shared, LocalLimits local, RateLimitMetrics metrics)
{
    private readonly StoreLimits _local = new(local.Store, DecisionSource.Local);

    /// <summary>Decides without waiting, if possible. Allocates nothing for a request that it admits.</summary>
    public bool TryDecide(LimitSet set, int units, int cost, out Decision decision)
    {
        if (!shared.TryDecide(set, units, cost, out decision))
        {
            return false;
        }

        metrics.Count(set, decision);
        return true;
    }

    /// <summary>Decides, and asks the store if necessary. Waits at most for <c>State:Timeout</c>.</summary>
    /// <param name="set">The buckets.</param>
    /// <param name="units">Units that the request is worth: 1, or the number of items of a batch.</param>
    /// <param name="cost">Cost of one unit.</param>
    /// <param name="isPeek">Whether to check only, without spending.</param>
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

/// <summary>This instance's own buckets, used while the shared store is away.</summary>
internal sealed class LocalLimits(TimeProvider time)
{
    public ILimitStore Store { get; } = new EmbeddedLimitStore(time);
}
