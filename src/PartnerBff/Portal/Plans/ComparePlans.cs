using Bff.RateLimiting;
using PartnerBff.Portal.Overview;
using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal.Plans;

/// <summary>The plans, which one it is, and which one it is to be.</summary>
public sealed record PlanComparison(IReadOnlyList<PlanFigures> Plans, string Current, PlanChange? Wanted, string? Notice);

/// <summary>Plans side by side. A change is a wish that people see to: prices and contracts are theirs.</summary>
internal static partial class ComparePlans
{
    private const string NoPartnersPlan = "anonymous";

    public static async Task<IResult> Show(HttpContext context, PortalViewer viewer, RateLimiter limiter, IPlanChanges changes)
    {
        var wanted = await changes.Find(viewer.Tenant, context.RequestAborted);
        var notice = context.Request.Query["done"] switch
        {
            ["requested"] => "Your request has been noted. We get in touch before anything changes.",
            ["withdrawn"] => "Your request has been withdrawn.",
            _ => null,
        };
        return await PortalPage.Of<PlansPage, PlanComparison>(
            context, viewer, new(Offered(limiter), viewer.Plan, wanted is { } change && change.Plan != viewer.Plan ? change : null, notice));
    }

    public static async Task<IResult> Request(
        HttpContext context, PortalViewer viewer, RateLimiter limiter, IPlanChanges changes, TimeProvider time, ILogger<PlanChange> logger)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var plan = form["plan"].ToString();
        if (plan == viewer.Plan || !Offered(limiter).Any(p => p.Name == plan))
        {
            return await PortalPage.NotFound(context);
        }

        await changes.Set(viewer.Tenant, new(plan, time.GetUtcNow(), viewer.Caller.Subject), context.RequestAborted);
        LogRequested(logger, viewer.Tenant, viewer.Plan, plan);
        return new SeeOther("/portal/plan?done=requested");
    }

    public static async Task<IResult> Withdraw(HttpContext context, PortalViewer viewer, IPlanChanges changes)
    {
        await changes.Remove(viewer.Tenant, context.RequestAborted);
        return new SeeOther("/portal/plan?done=withdrawn");
    }

    private static List<PlanFigures> Offered(RateLimiter limiter) =>
        [.. limiter.Plans.Where(p => p.Name != NoPartnersPlan).OrderBy(p => p.RequestsPerMinute).Select(PlanFigures.Of)];

    [LoggerMessage(LogLevel.Information, "Tenant {Tenant} wants to change from plan {Plan} to {Wanted}")]
    private static partial void LogRequested(ILogger logger, string tenant, string plan, string wanted);
}
