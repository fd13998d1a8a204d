using Bff.Configuration;
using Bff.Requests;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.RateLimiting;

/// <summary>The limiter as endpoints use it: charging for what a request turned out to be, and showing callers where they stand.</summary>
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

    /// <summary>Every plan of the configuration in force.</summary>
    public IReadOnlyCollection<Plan> Plans => _settings.Current.Plans.Values;

    /// <summary>The plan of the request's caller.</summary>
    public Plan PlanOf(BffRequest request) => PlanOf(request.Caller, request.Tenant);

    /// <summary>The plan of a caller of a tenant.</summary>
    public Plan PlanOf(Caller caller, Tenant? tenant) =>
        caller.IsAuthenticated ? _callers.Of(caller, tenant).Plan : _settings.Current.Plans[ShippedPlans.Anonymous];

    /// <summary>
    /// What plan and tenant refuse of another endpoint than the request's own: for a request that does what other endpoints do, and must
    /// not do more.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="endpoint">The one whose work is done.</param>
    /// <returns>403, or null.</returns>
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
    /// Charges a request for as many units as it turned out to have (times the endpoint's <c>Cost</c>) and brings the headers up to date.
    /// To be called once, before the answer has begun, by an endpoint that is marked <see cref="RateLimitExtensions.ChargedByEndpoint"/>.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="units">At least 1; more than a full bucket holds is charged as a full bucket.</param>
    /// <returns>The problem to answer with when it is refused (nothing has been spent then), else null.</returns>
    /// <exception cref="InvalidOperationException">The endpoint is not marked so.</exception>
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
    /// The request costs nothing by itself: another request, which its endpoint makes for the same caller, passes the limits in its
    /// place, or it gives something back, as a sign-out does.
    /// </summary>
    /// <exception cref="InvalidOperationException">The endpoint is not marked <see
    /// cref="RateLimitExtensions.ChargedWithinEndpoint"/>.</exception>
    public static void ChargeElsewhere(HttpContext context) => Open(context).IsCharged = true;

    /// <summary>Where the caller stands, spending nothing.</summary>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    public async ValueTask<LimitUsage> UsageOf(Caller caller)
    {
        var set = _callers.Of(caller, await _tenants.Find(caller.Tenant)).For(null, EndpointLimit.Default);
        var answer = await _store.Take(set.Tag, [new(set.Levels[0].Key, set.Levels[0].Policy, 0, 0)]);
        return new(set.Plan, answer.Levels[0].Units / BucketPolicy.UnitsPerToken, answer.Levels[0].Used);
    }

    /// <summary>
    /// Units that the tenant's callers took beyond their day's quota, per UTC day of the last three months: what is to be billed.
    /// </summary>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    public ValueTask<IReadOnlyDictionary<DateOnly, long>> OverageOf(string tenant) => _store.Overage("t:" + BucketKeys.Safe(tenant));

    private static OpenCharge Open(HttpContext context) =>
        context.Features.Get<OpenCharge>() ?? throw new InvalidOperationException("Mark the endpoint with ChargedByEndpoint().");
}

/// <summary>Where a caller stands.</summary>
/// <param name="Plan">Its plan.</param>
/// <param name="Remaining">Cost units that it could spend at once.</param>
/// <param name="UsedToday">Cost units of this UTC day; always 0 on a plan without a daily quota.</param>
public readonly record struct LimitUsage(Plan Plan, long Remaining, long UsedToday);

/// <summary>A request whose endpoint charges itself.</summary>
internal sealed class OpenCharge(LimitSet set, int cost)
{
    public LimitSet Set => set;

    public int Cost => cost;

    public bool IsCharged { get; set; }
}
