using Bff.Configuration;
using Bff.Requests;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.RateLimiting;

/// <summary>The rate limiter's interface for endpoints: charges the actual cost of a request and reports a caller's usage.</summary>
public sealed class RateLimiter
{
    private readonly LimitDecider _decider;
    private readonly CallerLimitsCache _callers;
    private readonly ITenants _tenants;
    private readonly Reloadable<LimitSettings> _settings;
    private readonly ILimitStore _store;
    private readonly TimeProvider _time;

    internal RateLimiter(
        LimitDecider decider,
        CallerLimitsCache callers,
        ITenants tenants,
        Reloadable<LimitSettings> settings,
        ILimitStore store,
        TimeProvider time
    ) => (_decider, _callers, _tenants, _settings, _store, _time) = (decider, callers, tenants, settings, store, time);

    /// <summary>Every plan of the current configuration.</summary>
    public IReadOnlyCollection<Plan> Plans => _settings.Current.Plans.Values;

    /// <summary>The plan of the request's caller.</summary>
    public Plan PlanOf(BffRequest request) => PlanOf(request.Caller, request.Tenant);

    /// <summary>The plan of a caller of a tenant.</summary>
    public Plan PlanOf(Caller caller, Tenant? tenant) =>
        caller.IsAuthenticated ? _callers.Of(caller, tenant).Plan : _settings.Current.Plans[ShippedPlans.Anonymous];

    /// <summary>
    /// Returns the refusal that plan and tenant would give for another endpoint than the request's own. For a request that does the work of
    /// other endpoints and must not be allowed more than they are.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="endpoint">The endpoint whose work is done.</param>
    /// <returns>A problem with status 403, or null.</returns>
    public Problem? RefusalOf(HttpContext context, RouteEndpoint endpoint)
    {
        var request = BffRequest.Of(context);
        var limits = _callers.Of(request.Caller, request.Tenant);
        return Entitlement.Refusal(
            context,
            request.Caller,
            limits,
            domainOwner: null,
            EndpointRules.Of(endpoint),
            endpoint.RoutePattern.RawText
        );
    }

    /// <summary>
    /// Charges a request for its actual number of units (times the endpoint's <c>Cost</c>) and updates the headers. Call it once, before
    /// the answer has begun, from an endpoint marked <see cref="RateLimitExtensions.ChargedByEndpoint"/>.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="units">Number of units; at least 1. More than a full bucket holds is charged as a full bucket.</param>
    /// <returns>The problem to answer with if the request is refused, in which case nothing was spent; otherwise null.</returns>
    /// <exception cref="InvalidOperationException">The endpoint does not have this mark.</exception>
    public async ValueTask<Problem?> Charge(HttpContext context, int units)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(units, 1);
        var open = Open(context);
        open.IsCharged = true;
        if (!_decider.TryDecide(open.Set, units, open.Cost, out var decision))
        {
            decision = await _decider.Decide(open.Set, units, open.Cost);
        }

        RateLimitHeaders.Write(context, open.Set, decision, _time);
        BffRequest.Of(context).Overage = decision.Overage;
        return RateLimitProblems.Of(decision);
    }

    /// <summary>
    /// Charges nothing for the request itself, because another request that its endpoint makes for the same caller passes the limits in its
    /// place, or because it gives something back, as a sign-out does.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The endpoint is not marked <see cref="RateLimitExtensions.ChargedWithinEndpoint"/>.
    /// </exception>
    public static void ChargeElsewhere(HttpContext context) => Open(context).IsCharged = true;

    /// <summary>Returns a caller's usage without spending anything.</summary>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    public async ValueTask<LimitUsage> UsageOf(Caller caller)
    {
        var set = _callers.Of(caller, await _tenants.Find(caller.Tenant)).For(null, EndpointLimit.Default);
        var answer = await _store.Take(set.Tag, [new(set.Levels[0].Key, set.Levels[0].Policy, 0, 0)]);
        return new(set.Plan, answer.Levels[0].Units / BucketPolicy.UnitsPerToken, answer.Levels[0].Used);
    }

    /// <summary>
    /// Returns the units that the tenant's callers took beyond their daily quota, per UTC day of the last three months. They are billed.
    /// </summary>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    public ValueTask<IReadOnlyDictionary<DateOnly, long>> OverageOf(string tenant) => _store.Overage("t:" + BucketKeys.Safe(tenant));

    private static OpenCharge Open(HttpContext context) =>
        context.Features.Get<OpenCharge>() ?? throw new InvalidOperationException("Mark the endpoint with ChargedByEndpoint().");
}

/// <summary>A caller's usage.</summary>
/// <param name="Plan">The caller's plan.</param>
/// <param name="Remaining">Cost units that the caller could spend at once.</param>
/// <param name="UsedToday">Cost units spent on this UTC day. Always 0 on a plan without a daily quota.</param>
public readonly record struct LimitUsage(Plan Plan, long Remaining, long UsedToday);

/// <summary>The pending charge of a request whose endpoint charges for itself.</summary>
internal sealed class OpenCharge(LimitSet set, int cost)
{
    public LimitSet Set => set;

    public int Cost => cost;

    public bool IsCharged { get; set; }
}
