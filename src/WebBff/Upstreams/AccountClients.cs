using Bff.Upstreams;

namespace WebBff.Upstreams;

public sealed record Notification(string Id, string Type, string Title, DateTimeOffset CreatedAt, bool Read, string? Body = null);

public sealed record NotificationList(int UnreadCount, IReadOnlyList<Notification> Items);

/// <summary>The service that owns notifications.</summary>
public sealed class NotificationsClient(UpstreamClient notifications)
{
    public ValueTask<UpstreamAnswer<NotificationList>> Unread(string userId, CallContext call) =>
        notifications.Get($"users/{PathSegment.Of(userId)}/notifications?unread=true&limit=10", UpstreamJson.Default.NotificationList, call);
}

public sealed record Shipment(string? TrackingNumber = null, string? Carrier = null, DateTimeOffset? EstimatedDelivery = null, string? Status = null);

/// <summary>The service that owns shipments.</summary>
public sealed class ShippingClient(UpstreamClient shipping)
{
    public ValueTask<UpstreamAnswer<Shipment>> ForOrder(string orderId, CallContext call) =>
        shipping.Get($"shipments?orderId={PathSegment.Query(orderId)}", UpstreamJson.Default.Shipment, call);
}

public sealed record Hit(string ProductId, string Name, decimal Price, string Currency, string? ImageUrl = null);

public sealed record HitList(IReadOnlyList<Hit> Items, int Total);

/// <summary>The service that finds products; hedged by its configuration.</summary>
public sealed class SearchClient(UpstreamClient search)
{
    public ValueTask<UpstreamAnswer<HitList>> Find(string query, int limit, CallContext call) =>
        search.Get($"search?q={PathSegment.Query(query)}&limit={limit}", UpstreamJson.Default.HitList, call);
}
