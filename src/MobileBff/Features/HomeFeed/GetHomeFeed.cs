using System.Text.Json.Serialization;
using Bff.Caching;
using Bff.Composition;
using Bff.Requests;
using MobileBff.Upstreams;
using static Bff.Composition.Durations;

namespace MobileBff.Features.HomeFeed;

/// <summary>
/// The app's first screen. Parts other than <paramref name="User"/> are null if their service failed; <c>_meta.degraded</c> gives the
/// reason.
/// </summary>
public sealed record HomeFeed(
    FeedUser User,
    IReadOnlyList<OrderSummary>? Orders,
    IReadOnlyList<Pick>? Recommendations,
    int? Unread,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

public sealed record FeedUser(string Id, string Name, string? Avatar);

public sealed record Pick(string Id, string Name, decimal Price, string Currency, string? Thumb)
{
    internal static IReadOnlyList<Pick> First10(Recommendations picks) => Shown.First(10, picks.Items, Of);

    private static Pick Of(Recommendation pick) => new(pick.ProductId, pick.Name, pick.Price, pick.Currency, Images.Thumb(pick.ImageUrl));
}

internal static class GetHomeFeed
{
    public static Task<Composed<HomeFeed>> Handle(
        Caller caller,
        Composer composer,
        IUsers users,
        IOrders orders,
        IRecommendations recommendations,
        INotifications notifications
    )
    {
        var user = composer.Required("user", users.Get(caller.Subject)).Timeout(Milliseconds(500));
        var latest = composer.Optional("orders", orders.Latest(caller.Subject, 5).As(OrderSummary.First5));
        var picks = composer
            .Optional("recommendations", recommendations.For(caller.Subject, 10).As(Pick.First10, MobileJson.Answers.IReadOnlyListPick))
            .Cached(CacheScope.Caller, $"recommendations:{caller.Subject}", fresh: Seconds(60), stale: Minutes(10));
        var unread = composer.Optional("notifications", notifications.Unread(caller.Subject)).Timeout(Milliseconds(500));

        return composer.Compose(
            () =>
                new HomeFeed(
                    new FeedUser(user.Value.Id, user.Value.Name, Images.Avatar(user.Value.AvatarUrl)),
                    latest.Value,
                    picks.Value,
                    unread.Value?.UnreadCount
                ),
            MobileJson.Answers.HomeFeed
        );
    }
}
