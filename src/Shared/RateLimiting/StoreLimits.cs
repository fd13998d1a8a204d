namespace Bff.RateLimiting;

/// <summary>Decides by a store's buckets, with one call per request.</summary>
internal sealed class StoreLimits(ILimitStore store, DecisionSource source)
{
    /// <summary>Decides a request in one call to the store.</summary>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    public async ValueTask<Decision> Decide(LimitSet set, int units, int cost, bool isPeek)
    {
        var demands = set.Demands(units, cost, isPeek);
        var answer = await store.Take(set.Tag, demands);
        var builder = default(DecisionBuilder);
        for (var i = 0; i < demands.Length; i++)
        {
            var state = answer.Levels[i];
            builder.Add(demands[i].Policy, state.Units, state.Used, answer.NowMicros, state.Taken, answer.IsAdmitted ? 0 : demands[i].Need);
        }

        return answer.IsAdmitted ? builder.Admitted(source) : builder.Refused(source);
    }
}
