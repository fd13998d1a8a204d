using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>The buckets of one caller's requests to one endpoint, decided together: caller, tenant, endpoint.</summary>
internal sealed class LimitSet(Plan plan, string? tenant, params Bucket[] levels)
{
    public Plan Plan => plan;

    /// <summary>The configured tenant's id, for metrics.</summary>
    public string? Tenant => tenant;

    public Bucket[] Levels => levels;

    public string Tag => levels[0].Tag;

    /// <summary>Value of <c>RateLimit-Policy</c>.</summary>
    public string PolicyText { get; } = string.Join(", ", levels.Select(l => l.Policy.HeaderText));

    /// <summary>Whether leases are worthwhile. They save nothing if a lease holds less than two requests' worth.</summary>
    public bool IsLeasable(int units, int cost)
    {
        foreach (var level in levels)
        {
            if (level.Policy.LeaseMax < 2 * level.Need(units, cost))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Returns the demands of a request for which the store is asked directly.</summary>
    public LevelDemand[] Demands(int units, int cost, bool isPeek)
    {
        var demands = new LevelDemand[levels.Length];
        for (var i = 0; i < demands.Length; i++)
        {
            var need = levels[i].Need(units, cost);
            demands[i] = new(levels[i].Key, levels[i].Policy, need, isPeek ? 0 : need);
        }

        return demands;
    }
}
