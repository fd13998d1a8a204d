using System.Diagnostics.Metrics;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// The counter <c>bff.ratelimit.decisions</c>, with <c>decision</c> (admitted, refused, unavailable), <c>source</c> (store, lease, local),
/// <c>plan</c>, and the <c>tenant</c> of requests that were not admitted.
/// </summary>
internal sealed class RateLimitMetrics
{
    private static readonly string[] Outcomes = ["admitted", "refused", "unavailable"];
    private static readonly string[] Sources = ["store", "lease", "local"];
    private readonly Counter<long> _decisions;

    public RateLimitMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns the meter.
        _decisions = meters.Create("Bff").CreateCounter<long>("bff.ratelimit.decisions", "{request}", "Decisions of the rate limiter.");
#pragma warning restore CA2000
    }

    public void Count(LimitSet set, in Decision decision)
    {
        if (!_decisions.Enabled)
        {
            return;
        }

        KeyValuePair<string, object?> outcome = new("decision", Outcomes[(int)decision.Outcome]);
        KeyValuePair<string, object?> source = new("source", Sources[(int)decision.Source]);
        KeyValuePair<string, object?> plan = new("plan", set.Plan.Name);
        if (decision.Outcome == DecisionOutcome.Admitted || set.Tenant is null)
        {
            _decisions.Add(1, outcome, source, plan);
        }
        else
        {
            _decisions.Add(1, [outcome, source, plan, new("tenant", set.Tenant)]);
        }
    }
}
