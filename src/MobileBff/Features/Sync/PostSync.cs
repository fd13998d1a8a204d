using Bff.Composition;
using Bff.Edge;
using Bff.Paging;
using Bff.RateLimiting;
using Bff.Requests;
using MobileBff.Upstreams;

namespace MobileBff.Features.Sync;

/// <summary>
/// Runs the operations from offline use and returns the changes, in one round trip: 1. nothing runs if the request is malformed as a whole;
/// 2. each operation is charged, and runs once; 3. the changes follow. If they fail, the results of the operations are returned anyway.
/// </summary>
internal static class PostSync
{
    public static async Task<IResult> Handle(
        string? since,
        string? limit,
        HttpContext context,
        Caller caller,
        Operations operations,
        RateLimiter limiter,
        SyncTokens tokens,
        IOrders orders,
        INotifications notifications
    )
    {
        var body = await JsonBody.Read(context, MobileJson.Default.OfflineChanges, context.RequestAborted);
        if (!body.TryGet(out var changes, out var problem) || (problem = changes.Objection(operations.IsType)) is not null)
        {
            return problem;
        }

        var size = PageLimit.Of(limit);
        var mine = await tokens.For(caller);
        var from = await mine.Open(since, context.RequestAborted);
        if (await limiter.Charge(context, changes.Operations.Count) is { } tooMany)
        {
            return tooMany;
        }

        var results = await operations.Run(context, caller, changes.Operations);

        var composer = (await Composer.BindAsync(context))!;
        var page = composer.Optional("orders", orders.Changes(caller.Subject, size, from));
        var unread = composer.Optional("notifications", notifications.Unread(caller.Subject));
        context.Response.StatusCode = StatusCodes.Status207MultiStatus;
        return await composer.Compose(
            () =>
                new OfflineAnswer(
                    results,
                    results.Count(r => r.Error is null),
                    results.Count(r => r.Error is not null),
                    page.Value is { } changed ? new SyncOrders([.. changed.Items.Select(OrderSummary.Of)], changed.Deleted) : null,
                    unread.Value?.UnreadCount,
                    page.Value is { } next ? mine.Seal(next.NextToken) : since,
                    page.Value?.HasMore ?? true
                ),
            MobileJson.Answers.OfflineAnswer
        );
    }
}
