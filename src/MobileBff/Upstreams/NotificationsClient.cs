using Bff.Upstreams;

namespace MobileBff.Upstreams;

public sealed record Notifications(int UnreadCount);

/// <summary>The service that owns notifications.</summary>
public sealed class NotificationsClient(UpstreamClient notifications)
{
    public ValueTask<UpstreamAnswer<Notifications>> Unread(string userId, CallContext call) =>
        notifications.Get($"users/{PathSegment.Of(userId)}/notifications?unread=true&limit=1", UpstreamJson.Default.Notifications, call);
}
