using Bff.RateLimiting;
using Bff.Requests;
using Bff.Tenancy;

namespace PartnerBff.Features.Account;

/// <summary>The partner's identity here, and what it may do.</summary>
/// <param name="Mode"><c>live</c>, or <c>test</c> for a test key.</param>
public sealed record AccountContract(string Tenant, string Mode, PlanContract Plan, LimitsContract Limits);

/// <summary>The agreed plan.</summary>
/// <param name="Endpoints"><c>all</c> or <c>read-only</c>.</param>
/// <param name="Overage">Whether requests beyond the day's quota are admitted and billed.</param>
public sealed record PlanContract(string Name, string? Price, string? Support, string? Sla, string Endpoints, bool Overage);

/// <summary>The limits of the plan.</summary>
/// <param name="RequestsPerDay">Null for unlimited.</param>
/// <param name="UsedToday">This credential's use of the daily quota; null without a quota.</param>
public sealed record LimitsContract(
    long RequestsPerMinute,
    long Burst,
    long? RequestsPerDay,
    long? MaxPayloadBytes,
    long Remaining,
    long? UsedToday
);

internal static class GetAccount
{
    public static async Task<IResult> Handle(Caller caller, RateLimiter limiter)
    {
        var (plan, remaining, used) = await limiter.UsageOf(caller);
        var account = new AccountContract(
            caller.Tenant!,
            caller.IsSandbox ? "test" : "live",
            new PlanContract(plan.Name, plan.Price, plan.Support, plan.Sla, plan.IsReadOnly ? "read-only" : "all", plan.Overage),
            new LimitsContract(
                plan.RequestsPerMinute,
                plan.Burst,
                plan.RequestsPerDay,
                plan.MaxPayloadBytes,
                remaining,
                plan.RequestsPerDay is null ? null : used
            )
        );
        return TypedResults.Json(account, PartnerJson.Answers.AccountContract);
    }
}
