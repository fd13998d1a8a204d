using Bff.Upstreams;
using Refit;

namespace MobileBff.Upstreams;

public sealed record Notifications(int UnreadCount);

/// <summary>The service that owns notifications.</summary>
public interface INotifications
{
    [Get("/users/{userId}/notifications?unread=true&limit=1")]
    UpstreamCall<Notifications> Unread(string userId);

    [Post("/users/{userId}/notifications/{notificationId}/read")]
    UpstreamWrite<NoContent> MarkRead(string userId, string notificationId);
}
