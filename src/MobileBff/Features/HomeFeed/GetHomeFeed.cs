using System.Text.Json.Serialization;
using Bff.Caching;
using Bff.Callers;
using Bff.Composition;
using MobileBff.Upstreams;

namespace MobileBff.Features.HomeFeed;

/// <summary>The app's first screen. Parts other than <paramref name="User"/> are null when their service failed; <c>_meta.degraded</c> says why.</summary>
public sealed record HomeFeed(
    FeedUser User,
    IReadOnlyList<OrderSummary>? Orders,
    IReadOnlyList<Pick>? Recommendations,
    int? Unread,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null);

public sealed record FeedUser(string Id, string Name, string? Avatar);

public sealed record Pick(string Id, string Name, decimal Price, string Currency, string? Thumb);

internal static class GetHomeFeed
{
    public static Task<Composed<HomeFeed>> Handle(
        Caller caller, Composer composer, UsersClient users, OrdersClient orders, RecommendationsClient recommendations, NotificationsClient notifications)
    {
        var user = composer.Required("user", t => users.Get(caller.Subject, t)).Timeout(500);
        var latest = composer.Optional("orders", t => orders.Latest(caller.Subject, 5, t));
        var picks = composer.Optional("recommendations", t => recommendations.For(caller.Subject, 10, t))
            .Cached(CacheScope.Caller, $"recommendations:{caller.Subject}", 60, 600, UpstreamJson.Default.Recommendations);
        var unread = composer.Optional("notifications", t => notifications.Unread(caller.Subject, t)).Timeout(500);

        return composer.Compose(
            () => new HomeFeed(
                new FeedUser(user.Value!.Id, user.Value.Name, Images.Avatar(user.Value.AvatarUrl)),
                latest.Value?.Items.Take(5).Select(OrderSummary.Of).ToList(),
                picks.Value?.Items.Take(10).Select(p => new Pick(p.ProductId, p.Name, p.Price, p.Currency, Images.Thumb(p.ImageUrl))).ToList(),
                unread.Value?.UnreadCount),
            MobileJson.Answers.HomeFeed);
    }
}
