using Bff.Audit;
using Bff.RateLimiting;
using Bff.Tenancy;
using Bff.Tenants;
using PartnerBff.Portal.Overview;
using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal.Plans;

/// <summary>The plans, the current one, the requested one, and the outcome of the latest request.</summary>
public sealed record PlanComparison(
    IReadOnlyList<PlanFigures> Plans,
    string Current,
    PlanChange? Wanted,
    PlanChange? Decided,
    string? Notice
);

/// <summary>Shows plans side by side. A change is a request that an operator decides; see <see cref="ManagePlanChanges"/>.</summary>
internal static partial class ComparePlans
{
    private const string NoPartnersPlan = "anonymous";
    private static readonly TimeSpan ShownFor = TimeSpan.FromDays(30);

    public static async Task<IResult> Show(
        HttpContext context,
        PortalViewer viewer,
        RateLimiter limiter,
        PlanChanges changes,
        TimeProvider time
    )
    {
        var latest = await changes.Find(viewer.Tenant, context.RequestAborted);
        var notice = context.Request.Query["done"] switch
        {
            ["requested"] => "We have received your request. We will contact you before anything changes.",
            ["withdrawn"] => "Your request has been withdrawn.",
            _ => null,
        };
        return await PortalPage.Of<PlansPage, PlanComparison>(
            context,
            viewer,
            new(
                Offered(limiter),
                viewer.Plan,
                latest is { Status: PlanChangeStatus.Pending } && latest.Plan != viewer.Plan ? latest : null,
                latest is { Status: not PlanChangeStatus.Pending } && time.GetUtcNow() - latest.DecidedAt < ShownFor ? latest : null,
                notice
            )
        );
    }

    public static async Task<IResult> Request(
        HttpContext context,
        PortalViewer viewer,
        RateLimiter limiter,
        PlanChanges changes,
        ILogger<PlanChange> logger
    )
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var plan = form["plan"].ToString();
        if (plan == viewer.Plan || !Offered(limiter).Any(p => p.Name == plan))
        {
            return await PortalPage.NotFound(context);
        }

        await changes.Request(viewer.Tenant, viewer.Plan, plan, viewer.Caller.Subject, ChangedBy.Of(context), context.RequestAborted);
        LogRequested(logger, viewer.Tenant, viewer.Plan, plan);
        return new SeeOther("/portal/plan?done=requested");
    }

    public static async Task<IResult> Withdraw(HttpContext context, PortalViewer viewer, PlanChanges changes)
    {
        await changes.Withdraw(viewer.Tenant, ChangedBy.Of(context), context.RequestAborted);
        return new SeeOther("/portal/plan?done=withdrawn");
    }

    private static List<PlanFigures> Offered(RateLimiter limiter) =>
        [.. limiter.Plans.Where(p => p.Name != NoPartnersPlan).OrderBy(p => p.RequestsPerMinute).Select(PlanFigures.Of)];

    [LoggerMessage(
        3201,
        LogLevel.Information,
        "Tenant {Tenant} asks to change from plan {Plan} to {Wanted}; the request waits for approval",
        EventName = "PlanChangeRequested"
    )]
    private static partial void LogRequested(ILogger logger, string tenant, string plan, string wanted);
}
