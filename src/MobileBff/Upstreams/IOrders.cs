using System.Text.Json.Serialization;
using Bff.Upstreams;
using Refit;

namespace MobileBff.Upstreams;

/// <summary>The members of an order that the mobile app needs.</summary>
public sealed record Order(
    string Id,
    string Status,
    DateTimeOffset PlacedAt,
    decimal TotalAmount,
    string Currency,
    IReadOnlyList<OrderLine> Items
);

public sealed record OrderLine(string ProductId, string? ProductName, string? ProductImageUrl, int Quantity, decimal UnitPrice);

/// <summary>The members of an order that lists need.</summary>
[JsonConverter(typeof(ListedOrderReader))]
public sealed record ListedOrder(string Id, string Status, DateTimeOffset PlacedAt, decimal TotalAmount, string Currency, OrderLines Items);

[JsonConverter(typeof(OrderPageReader))]
public sealed record OrderPage(IReadOnlyList<ListedOrder> Items, [property: ServiceCursor] string? NextCursor = null);

public sealed record OrderChanges(
    IReadOnlyList<ListedOrder> Items,
    IReadOnlyList<string> Deleted,
    [property: ServiceCursor] string NextToken,
    bool HasMore
);

/// <summary>The service that owns orders.</summary>
public interface IOrders
{
    [Get("/users/{userId}/orders")]
    UpstreamCall<OrderPage> Latest(string userId, int limit, string? cursor = null);

    [Get("/orders/{orderId}")]
    UpstreamCall<Order> Get(string orderId);

    [Get("/users/{userId}/orders/changes")]
    UpstreamCall<OrderChanges> Changes(string userId, int limit, string? since);

    /// <summary>Places an order; the body is passed through from the client.</summary>
    [Post("/orders")]
    UpstreamWrite<NoContent> Place();

    /// <summary>Places an order; sent once, or repeated under the app's idempotency key.</summary>
    [Post("/orders")]
    UpstreamWrite<Order> Place([Body] WrittenJson order, [Header("Idempotency-Key")] string key);
}
