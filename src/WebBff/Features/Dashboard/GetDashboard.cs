using System.Text.Json.Serialization;
using Bff.Caching;
using Bff.Composition;
using Bff.Requests;
using WebBff.Upstreams;
using static Bff.Composition.Durations;

namespace WebBff.Features.Dashboard;

/// <summary>
/// The app's first page. Parts other than <paramref name="User"/> are null if their service failed; <c>_meta.sections</c> gives the reason.
/// </summary>
public sealed record DashboardView(
    DashboardUser User,
    IReadOnlyList<OrderView>? RecentOrders,
    NotificationsView? Notifications,
    IReadOnlyList<PickView>? Recommendations,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

public sealed record DashboardUser(string Id, string Name, string? Email, string? Plan, string? AvatarUrl);

public sealed record NotificationsView(int UnreadCount, IReadOnlyList<NotificationView> Items);

public sealed record NotificationView(string Id, string Type, string Title, string? Body, DateTimeOffset CreatedAt, bool Read);

internal static class GetDashboard
{
    public static Task<Composed<DashboardView>> Handle(
        Caller caller,
        Composer composer,
        IUsers users,
        IOrders orders,
        INotifications notifications,
        IRecommendations recommendations
    )
    {
        var user = composer.Required("user", users.Get(caller.Subject));
        var latest = composer.Optional("orders", orders.Latest(caller.Subject, 5).As(OrderView.First5));
        var unread = composer.Optional("notifications", notifications.Unread(caller.Subject).As(View));
        var picks = composer
            .Optional(
                "recommendations",
                recommendations.For(caller.Subject, 10).As(found => PickView.Of(found, 10), WebJson.Answers.IReadOnlyListPickView)
            )
            .Cached(CacheScope.Caller, $"recommendations:{caller.Subject}", fresh: Seconds(60), stale: Minutes(10));

        return composer.Compose(
            () =>
                new DashboardView(
                    new DashboardUser(user.Value.Id, user.Value.Name, user.Value.Email, user.Value.Plan, user.Value.AvatarUrl),
                    latest.Value,
                    unread.Value,
                    picks.Value
                ),
            WebJson.Answers.DashboardView
        );
    }

    private static NotificationsView View(NotificationList list) =>
        new(list.UnreadCount, [.. list.Items.Select(n => new NotificationView(n.Id, n.Type, n.Title, n.Body, n.CreatedAt, n.Read))]);
}
