using Bff.Upstreams;
using Refit;

namespace WebBff.Upstreams;

public sealed record Notification(string Id, string Type, string Title, DateTimeOffset CreatedAt, bool Read, string? Body = null);

public sealed record NotificationList(int UnreadCount, IReadOnlyList<Notification> Items);

/// <summary>The service that owns notifications.</summary>
public interface INotifications
{
    [Get("/users/{userId}/notifications?unread=true&limit=10")]
    UpstreamCall<NotificationList> Unread(string userId);

    [Post("/users/{userId}/notifications/{notificationId}/read")]
    UpstreamWrite<NoContent> MarkRead(string userId, string notificationId);
}

public sealed record Shipment(
    string? TrackingNumber = null,
    string? Carrier = null,
    DateTimeOffset? EstimatedDelivery = null,
    string? Status = null
);

/// <summary>The service that owns shipments.</summary>
public interface IShipping
{
    [Get("/shipments")]
    UpstreamCall<Shipment> ForOrder(string orderId);
}

public sealed record Hit(string ProductId, string Name, decimal Price, string Currency, string? ImageUrl = null);

public sealed record HitList(IReadOnlyList<Hit> Items, int Total);

/// <summary>The service that searches products; its configuration hedges it.</summary>
public interface ISearch
{
    [Get("/search")]
    UpstreamCall<HitList> Find([AliasAs("q")] string query, int limit);
}
