using System.Text.Json.Serialization;
using Bff.Composition;
using Bff.Paging;
using Bff.Requests;
using Bff.Upstreams;
using MobileBff.Upstreams;

namespace MobileBff.Features.Sync;

/// <summary>Changes since the last synchronization.</summary>
/// <param name="Unread">Null if notifications failed.</param>
/// <param name="Next">Value of <c>since</c> for the next time; the same token always stands for the same moment.</param>
/// <param name="HasMore">Whether to ask again at once.</param>
public sealed record SyncAnswer(
    SyncOrders Orders,
    int? Unread,
    string Next,
    bool HasMore,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

/// <param name="Changed">New or changed orders in their current state.</param>
/// <param name="Deleted">Ids of deleted orders.</param>
public sealed record SyncOrders(IReadOnlyList<OrderSummary> Changed, IReadOnlyList<string> Deleted);

internal static class GetSync
{
    public static async Task<Composed<SyncAnswer>> Handle(
        string? since,
        string? limit,
        Caller caller,
        Composer composer,
        SyncTokens tokens,
        IOrders orders,
        INotifications notifications,
        HttpContext context
    )
    {
        var size = PageLimit.Of(limit);
        var mine = await tokens.For(caller);
        var from = await mine.Open(since, context.RequestAborted);

        var changes = composer.Required("orders", orders.Changes(caller.Subject, size, from)).Refused(TooOld).At(from);
        var unread = composer.Optional("notifications", notifications.Unread(caller.Subject));

        return await composer.Compose(
            () =>
                new SyncAnswer(
                    new SyncOrders([.. changes.Value.Items.Select(OrderSummary.Of)], changes.Value.Deleted),
                    unread.Value?.UnreadCount,
                    mine.Seal(changes.Value.NextToken)!,
                    changes.Value.HasMore
                ),
            MobileJson.Answers.SyncAnswer
        );
    }

    private static Problem? TooOld(UpstreamAnswer<OrderChanges> answer) =>
        answer.Status == StatusCodes.Status410Gone ? new Problem(ProblemCodes.SyncTokenExpired) : null;
}
