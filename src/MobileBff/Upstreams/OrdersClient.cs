using Bff.Upstreams;

namespace MobileBff.Upstreams;

/// <summary>What the mobile app needs of an order.</summary>
public sealed record Order(string Id, string Status, DateTimeOffset PlacedAt, decimal TotalAmount, string Currency, IReadOnlyList<OrderLine> Items);

public sealed record OrderLine(string ProductId, string? ProductName, string? ProductImageUrl, int Quantity, decimal UnitPrice);

public sealed record OrderPage(IReadOnlyList<Order> Items, string? NextCursor = null);

/// <summary>The service that owns orders.</summary>
public sealed class OrdersClient(UpstreamClient orders)
{
    public ValueTask<UpstreamAnswer<OrderPage>> Latest(string userId, int limit, CallContext call) =>
        orders.Get($"users/{PathSegment.Of(userId)}/orders?limit={limit}", UpstreamJson.Default.OrderPage, call);

    public ValueTask<UpstreamAnswer<Order>> Get(string orderId, CallContext call) =>
        orders.Get($"orders/{PathSegment.Of(orderId)}", UpstreamJson.Default.Order, call);
}
