using System.Globalization;
using System.Text.Json.Serialization;
using Bff.Upstreams;

namespace MobileBff.Upstreams;

/// <summary>What the mobile app needs of an order.</summary>
public sealed record Order(string Id, string Status, DateTimeOffset PlacedAt, decimal TotalAmount, string Currency, IReadOnlyList<OrderLine> Items);

public sealed record OrderLine(string ProductId, string? ProductName, string? ProductImageUrl, int Quantity, decimal UnitPrice);

/// <summary>What lists need of an order.</summary>
[JsonConverter(typeof(ListedOrderReader))]
public sealed record ListedOrder(string Id, string Status, DateTimeOffset PlacedAt, decimal TotalAmount, string Currency, OrderLines Items);

public sealed record OrderPage(IReadOnlyList<ListedOrder> Items, string? NextCursor = null);

public sealed record OrderChanges(IReadOnlyList<ListedOrder> Items, IReadOnlyList<string> Deleted, string NextToken, bool HasMore);

/// <summary>The service that owns orders.</summary>
public sealed class OrdersClient(UpstreamClient orders)
{
    public ValueTask<UpstreamAnswer<OrderPage>> Latest(string userId, int limit, CallContext call) => Page(userId, limit, null, call);

    public ValueTask<UpstreamAnswer<OrderPage>> Page(string userId, int limit, string? cursor, CallContext call) =>
        orders.Get(string.Create(CultureInfo.InvariantCulture, $"users/{PathSegment.Of(userId)}/orders?limit={limit}{Place("cursor", cursor)}"), UpstreamJson.Default.OrderPage, call);

    public ValueTask<UpstreamAnswer<Order>> Get(string orderId, CallContext call) =>
        orders.Get($"orders/{PathSegment.Of(orderId)}", UpstreamJson.Default.Order, call);

    public ValueTask<UpstreamAnswer<OrderChanges>> Changes(string userId, string? since, int limit, CallContext call) =>
        orders.Get(string.Create(CultureInfo.InvariantCulture, $"users/{PathSegment.Of(userId)}/orders/changes?limit={limit}{Place("since", since)}"), UpstreamJson.Default.OrderChanges, call);

    private static string Place(string name, string? value) => value is null ? "" : $"&{name}={PathSegment.Query(value)}";
}
