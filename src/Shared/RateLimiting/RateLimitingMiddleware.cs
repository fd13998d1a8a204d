using Bff.Edge;
using Bff.Requests;
using Bff.State;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;

namespace Bff.RateLimiting;

/// <summary>
/// Stage 3. Enforces what the caller's plan and tenant allow. It finds the tenant first, for all later stages.
/// 1. Partners must have a known tenant, and the host name must not be another tenant's domain.
/// 2. Plan and tenant must include the endpoint.
/// 3. The plan limits the body; <see cref="BodyLimitMiddleware"/> enforces that after the request is charged.
/// 4. Every bucket must have enough, on lease or in one round trip.
/// 5. The answer says what is left.
/// </summary>
internal sealed class RateLimitingMiddleware(
    RequestDelegate next,
    LimitDecider decider,
    CallerLimitsCache callers,
    ITenants tenants,
    TimeProvider time
)
{
    public Task InvokeAsync(HttpContext context)
    {
        var request = BffRequest.Of(context);
        if (!request.Caller.IsAuthenticated)
        {
            return Limit(context, request, null);
        }

        var tenant = tenants.Find(request.Caller.Tenant, context.RequestAborted);
        var owner = tenants.OwnerOf(context);
        if (!tenant.IsCompletedSuccessfully || !owner.IsCompletedSuccessfully)
        {
            return Find(context, request, tenant, owner);
        }

        request.Tenant = tenant.Result;
        return Limit(context, request, owner.Result);
    }

    private async Task Find(HttpContext context, BffRequest request, ValueTask<Tenant?> tenant, ValueTask<string?> owner)
    {
        var owned = await owner;
        try
        {
            request.Tenant = await tenant;
        }
        catch (StoreException) when (context.GetEndpoint() is not { } endpoint || EndpointRules.Of(endpoint).IsUnlimited)
        {
            // Health, sign-out and revocation do not depend on the tenant.
        }

        await Limit(context, request, owned);
    }

    private Task Limit(HttpContext context, BffRequest request, string? domainOwner)
    {
        if (context.GetEndpoint() is not { } endpoint || EndpointRules.Of(endpoint) is not { IsUnlimited: false } rules)
        {
            return next(context);
        }

        var limits = callers.Of(request.Caller, request.Tenant, context.Connection.RemoteIpAddress);
        if (Entitlement.Refusal(context, request.Caller, limits, domainOwner, rules, context.Request.Path.Value) is { } refusal)
        {
            return refusal.ExecuteAsync(context);
        }

        request.PlanBytes = limits.Plan.MaxPayloadBytes;
        var limit = rules.LimitIn(limits.Settings);
        var set = limits.For(rules.Name, limit);
        if (rules.ChargesItself is { } charges)
        {
            return ChargedByEndpoint(context, set, limit.Cost, charges.IsPeeked);
        }

        return decider.TryDecide(set, 1, limit.Cost, out var decision) ? Go(context, set, decision) : Slow(context, set, limit.Cost);
    }

    private async Task Slow(HttpContext context, LimitSet set, int cost) => await Go(context, set, await decider.Decide(set, 1, cost));

    private async Task ChargedByEndpoint(HttpContext context, LimitSet set, int cost, bool isPeeked)
    {
        Decision? peek = isPeeked ? await decider.Decide(set, 1, cost, isPeek: true) : null;
        var charge = new OpenCharge(set, cost);
        context.Features.Set(charge);
        try
        {
            await (peek is { } decision ? Go(context, set, decision) : next(context));
        }
        finally
        {
            if (!charge.IsCharged && peek is null or { Outcome: DecisionOutcome.Admitted })
            {
                // The request ended before the endpoint charged for it, such as a malformed batch.
                BffRequest.Of(context).Overage = (await decider.Decide(set, 1, cost)).Overage;
            }
        }
    }

    private Task Go(HttpContext context, LimitSet set, in Decision decision)
    {
        RateLimitHeaders.Write(context, set, decision, time);
        BffRequest.Of(context).Overage = decision.Overage;
        return RateLimitProblems.Of(decision) is { } problem ? problem.ExecuteAsync(context) : next(context);
    }
}

/// <summary>Checks what plan and tenant allow, before anything is counted.</summary>
internal static class Entitlement
{
    public static Problem? Refusal(
        HttpContext context,
        Caller caller,
        CallerLimits limits,
        string? domainOwner,
        EndpointRules rules,
        string? path
    )
    {
        if (limits.IsForbidden && caller.IsAuthenticated)
        {
            return new Problem(ProblemCodes.Forbidden) { Detail = "The credential's tenant is not known to this API." };
        }

        if (domainOwner is not null && domainOwner != caller.Tenant)
        {
            return new Problem(ProblemCodes.Forbidden)
            {
                Detail = "The credential is not valid for this host name. Use another host name.",
            };
        }

        if (
            limits.Tenant is { AllowedAddresses: { Count: > 0 } allowed }
            && !AddressNetworks.Contains(allowed, context.Connection.RemoteIpAddress)
        )
        {
            return new Problem(ProblemCodes.AddressNotAllowed);
        }

        if (caller.AllowedAddresses is { Count: > 0 } own && !AddressNetworks.Contains(own, context.Connection.RemoteIpAddress))
        {
            return new Problem(ProblemCodes.AddressNotAllowed);
        }

        if (limits.Tenant is { } tenant && !tenant.Allows(path))
        {
            return new Problem(ProblemCodes.EndpointNotInPlan);
        }

        if (limits.Plan.IsReadOnly && rules.IsDomainWrite && IsWrite(context.Request.Method))
        {
            return new Problem(ProblemCodes.EndpointNotInPlan)
            {
                Detail = "The plan allows reads only. Change to a plan that allows writes.",
            };
        }

        return null;
    }

    private static bool IsWrite(string method) =>
        !(HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method));
}
