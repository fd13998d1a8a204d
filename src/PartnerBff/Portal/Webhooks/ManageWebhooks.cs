using System.Globalization;
using Bff.Audit;
using Bff.Events;
using Bff.Requests;
using PartnerBff.Features.Webhooks;
using PartnerBff.Portal.Pages;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Addresses;
using PartnerBff.Webhooks.Delivery;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Portal.Webhooks;

/// <summary>The webhooks' services that the pages use.</summary>
internal sealed record WebhookServices(
    IWebhookStore Store,
    IEventQueue Queue,
    WebhookSecrets Secrets,
    WebhookUrl Urls,
    WebhookWorker Worker,
    TimeProvider Time
);

/// <summary>Manages the tenant's webhook endpoints of both modes on pages, as <c>/v1/webhook-endpoints</c> does for programs.</summary>
internal static class ManageWebhooks
{
    public const int PageSize = 25;
    private const int MaxSkip = 10_000;
    private static readonly Dictionary<string, string[]> NoErrors = [];

    public static async Task<IResult> List(HttpContext context, PortalViewer viewer, WebhookServices services)
    {
        var rows = new List<WebhookRow>();
        foreach (var isTest in (bool[])[false, true])
        {
            var found = await services.Store.List(WebhookRules.Owner(As(viewer, isTest)), context.RequestAborted);
            rows.AddRange(found.Select(e => new WebhookRow(WebhookEndpointContract.Of(e), isTest)));
        }

        return await PortalPage.Of<WebhooksPage, WebhookList>(
            context,
            viewer,
            new(
                rows,
                context.Request.Query["done"] is ["deleted"] ? "The endpoint has been deleted. Nothing is sent to it any more." : null
            )
        );
    }

    public static Task<IResult> New(HttpContext context, PortalViewer viewer) =>
        PortalPage.Of<NewWebhookPage, WebhookForm>(context, viewer, new("", "*", "", "live", NoErrors));

    public static async Task<IResult> Create(HttpContext context, PortalViewer viewer, WebhookServices services)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var filled = new WebhookForm(
            form["url"].ToString().Trim(),
            form["types"].ToString().Trim(),
            form["description"].ToString().Trim(),
            form["mode"].ToString(),
            NoErrors
        );
        var isTest = filled.Mode == "test";
        var asked = new WebhookEndpointRequest(
            filled.Url,
            filled.Types.Split([',', ' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries),
            filled.Description.Length == 0 ? null : filled.Description
        );
        var (made, refusal) = await WebhookEndpoints.Add(
            As(viewer, isTest),
            asked,
            services.Store,
            services.Queue,
            services.Secrets,
            services.Urls,
            services.Time,
            ChangedBy.Of(context),
            context.RequestAborted
        );
        if (made is null)
        {
            var errors = refusal!.Errors ?? new Dictionary<string, string[]> { ["url"] = [refusal.Detail ?? refusal.Code.Explanation] };
            return await PortalPage.Of<NewWebhookPage, WebhookForm>(
                context,
                viewer,
                filled with
                {
                    Errors = errors,
                },
                StatusCodes.Status422UnprocessableEntity
            );
        }

        return await Shown(context, viewer, made, isTest, isRotated: false);
    }

    public static async Task<IResult> Show(HttpContext context, string id, PortalViewer viewer, WebhookServices services)
    {
        if (await Find(id, viewer, services, context.RequestAborted) is not { } found)
        {
            return await PortalPage.NotFound(context);
        }

        var skip = int.TryParse(context.Request.Query["skip"], NumberStyles.None, CultureInfo.InvariantCulture, out var given)
            ? Math.Min(given, MaxSkip)
            : 0;
        var deliveries = await services.Store.Deliveries(id, skip, PageSize + 1, context.RequestAborted);
        var notice = context.Request.Query["done"] switch
        {
            ["tested"] => "A test event is being sent. Reload the page to see the result.",
            ["resent"] => "The event is being sent again. Reload the page to see the result.",
            ["enabled"] => "The endpoint receives events again.",
            ["disabled"] => "The endpoint is disabled. New events are not sent to it.",
            ["off"] => "The endpoint is disabled. Enable it first.",
            _ => null,
        };
        return await PortalPage.Of<WebhookPage, WebhookDetail>(
            context,
            viewer,
            new(found.Row, [.. deliveries.Take(PageSize).Select(DeliveryContract.Of)], skip, deliveries.Count > PageSize, notice)
        );
    }

    public static async Task<IResult> Test(HttpContext context, string id, PortalViewer viewer, WebhookServices services) =>
        await Find(id, viewer, services, context.RequestAborted) is { } found
            ? await Sent(
                context,
                id,
                "tested",
                await WebhookDeliveries.Test(id, found.Caller, services.Store, services.Worker, services.Time, context.RequestAborted)
            )
            : await PortalPage.NotFound(context);

    public static async Task<IResult> Resend(HttpContext context, string id, PortalViewer viewer, WebhookServices services)
    {
        if (
            await services.Store.FindDelivery(id, context.RequestAborted) is not { } delivery
            || await Find(delivery.EndpointId, viewer, services, context.RequestAborted) is not { } found
        )
        {
            return await PortalPage.NotFound(context);
        }

        var sent = await WebhookDeliveries.Retry(id, found.Caller, services.Store, services.Worker, services.Time, context.RequestAborted);
        return await Sent(context, delivery.EndpointId, "resent", sent);
    }

    public static async Task<IResult> Enable(HttpContext context, string id, PortalViewer viewer, WebhookServices services)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var enabled = form["enabled"] is ["true"];
        return
            await Find(id, viewer, services, context.RequestAborted) is { } found
            && await services.Store.Change(
                WebhookRules.Owner(found.Caller),
                id,
                e => e.Switch(enabled, services.Time.GetUtcNow()),
                context.RequestAborted,
                WebhookAudit.Changed(ChangedBy.Of(context), viewer.Tenant)
            )
                is not null
            ? new SeeOther($"/portal/webhooks/{id}?done={(enabled ? "enabled" : "disabled")}")
            : await PortalPage.NotFound(context);
    }

    public static async Task<IResult> RotateSecret(HttpContext context, string id, PortalViewer viewer, WebhookServices services) =>
        await Find(id, viewer, services, context.RequestAborted) is { } found
        && await WebhookEndpoints.Rotate(
            found.Caller,
            id,
            TimeSpan.FromDays(1),
            services.Store,
            services.Secrets,
            services.Time,
            ChangedBy.Of(context),
            context.RequestAborted
        )
            is { } made
            ? await Shown(context, viewer, made, found.Row.IsTest, isRotated: true)
            : await PortalPage.NotFound(context);

    public static async Task<IResult> Delete(HttpContext context, string id, PortalViewer viewer, WebhookServices services) =>
        await Find(id, viewer, services, context.RequestAborted) is { } found
        && await services.Store.Delete(
            WebhookRules.Owner(found.Caller),
            id,
            CancellationToken.None,
            WebhookAudit.Deleted(ChangedBy.Of(context), viewer.Tenant, id)
        )
            ? new SeeOther("/portal/webhooks?done=deleted")
            : await PortalPage.NotFound(context);

    private static Task<IResult> Shown(HttpContext context, PortalViewer viewer, EndpointAndSecret made, bool isTest, bool isRotated) =>
        PortalPage.Of<MadeSecretPage, MadeSecret>(
            context,
            viewer,
            new(new(WebhookEndpointContract.Of(made.Endpoint), isTest), made.Secret, isRotated)
        );

    private static async Task<IResult> Sent(HttpContext context, string endpoint, string done, IResult sent) =>
        sent switch
        {
            Problem { Code.Status: StatusCodes.Status409Conflict } => new SeeOther($"/portal/webhooks/{endpoint}?done=off"),
            Problem => await PortalPage.NotFound(context),
            _ => new SeeOther($"/portal/webhooks/{endpoint}?done={done}"),
        };

    private static async Task<(WebhookRow Row, Caller Caller)?> Find(
        string id,
        PortalViewer viewer,
        WebhookServices services,
        CancellationToken cancellation
    )
    {
        foreach (var isTest in (bool[])[false, true])
        {
            var caller = As(viewer, isTest);
            if (await services.Store.Find(WebhookRules.Owner(caller), id, cancellation) is { } endpoint)
            {
                return (new(WebhookEndpointContract.Of(endpoint), isTest), caller);
            }
        }

        return null;
    }

    // A person manages both modes; the stores keep them apart by caller.
    private static Caller As(PortalViewer viewer, bool isTest) =>
        new()
        {
            Subject = viewer.Caller.Subject,
            Kind = CallerKind.Session,
            Tenant = viewer.Tenant,
            IsSandbox = isTest,
        };
}
