using System.Text.Json;
using Bff.Upstreams;

namespace PartnerBff.Upstreams;

/// <summary>What partners are told of an order.</summary>
public sealed record Order(
    string Id, string Status, DateTimeOffset PlacedAt, decimal TotalAmount, string Currency, IReadOnlyList<OrderLine> Items, string? Reference = null);

public sealed record OrderLine(string ProductId, int Quantity, decimal UnitPrice, string? ProductName = null);

public sealed record OrderPage(IReadOnlyList<Order> Items, string? NextCursor = null);

public sealed record NewOrder(string? Reference, string Currency, IReadOnlyList<NewOrderLine> Items);

public sealed record NewOrderLine(string ProductId, int Quantity);

/// <summary>The service that owns orders; it knows the tenant from the identity headers.</summary>
public sealed class OrdersClient(UpstreamClient orders)
{
    public ValueTask<UpstreamAnswer<OrderPage>> List(int limit, string? cursor, CallContext call) =>
        orders.Get(Paged.Path("orders", limit, cursor), UpstreamJson.Default.OrderPage, call);

    public ValueTask<UpstreamAnswer<Order>> Get(string orderId, CallContext call) =>
        orders.Get($"orders/{PathSegment.Of(orderId)}", UpstreamJson.Default.Order, call);

    /// <summary>Sent once, or repeated under the partner's key.</summary>
    public ValueTask<UpstreamAnswer<Order>> Place(NewOrder order, string key, CallContext call) =>
        orders.Write(
            HttpMethod.Post, "orders", JsonSerializer.SerializeToUtf8Bytes(order, UpstreamJson.Default.NewOrder), UpstreamJson.Default.Order, call, key);

    /// <summary>Cancelling what is cancelled is the service's to judge; with the partner's key a repeat is safe.</summary>
    public ValueTask<UpstreamAnswer<Order>> Cancel(string orderId, string? key, CallContext call) =>
        orders.Write(HttpMethod.Post, $"orders/{PathSegment.Of(orderId)}/cancel", default, UpstreamJson.Default.Order, call, key);
}
