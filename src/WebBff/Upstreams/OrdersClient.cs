using Bff.Upstreams;

namespace WebBff.Upstreams;

/// <summary>What the web app needs of an order.</summary>
public sealed record Order(
    string Id, string CustomerId, string Status, DateTimeOffset PlacedAt, decimal TotalAmount, string Currency, IReadOnlyList<OrderLine> Items,
    string? Reference = null);

public sealed record OrderLine(string ProductId, int Quantity, decimal UnitPrice, string? ProductName = null, string? ProductImageUrl = null);

public sealed record OrderList(IReadOnlyList<Order> Items, string? NextCursor = null);

/// <summary>The service that owns orders.</summary>
public sealed class OrdersClient(UpstreamClient orders)
{
    public ValueTask<UpstreamAnswer<OrderList>> Of(string userId, int limit, string? cursor, CallContext call) =>
        orders.Get($"users/{PathSegment.Of(userId)}/orders?limit={limit}{CursorQuery.Of(cursor)}", UpstreamJson.Default.OrderList, call);

    public ValueTask<UpstreamAnswer<Order>> Get(string orderId, CallContext call) =>
        orders.Get($"orders/{PathSegment.Of(orderId)}", UpstreamJson.Default.Order, call);
}

internal static class CursorQuery
{
    public static string Of(string? cursor) => cursor is null ? "" : "&cursor=" + PathSegment.Query(cursor);
}
