using Bff.Upstreams;
using Refit;

namespace WebBff.Upstreams;

/// <summary>The members of an order that the web app needs.</summary>
public sealed record Order(
    string Id,
    string CustomerId,
    string Status,
    DateTimeOffset PlacedAt,
    decimal TotalAmount,
    string Currency,
    IReadOnlyList<OrderLine> Items,
    string? Reference = null
);

public sealed record OrderLine(
    string ProductId,
    int Quantity,
    decimal UnitPrice,
    string? ProductName = null,
    string? ProductImageUrl = null
);

public sealed record OrderList(IReadOnlyList<Order> Items, [property: ServiceCursor] string? NextCursor = null);

/// <summary>The service that owns orders.</summary>
public interface IOrders
{
    [Get("/users/{userId}/orders")]
    UpstreamCall<OrderList> Latest(string userId, int limit, string? cursor = null);

    [Get("/orders/{orderId}")]
    UpstreamCall<Order> Get(string orderId);

    /// <summary>Places an order; the body is passed through from the client.</summary>
    [Post("/orders")]
    UpstreamWrite<NoContent> Place();

    [Post("/orders/{orderId}/cancel")]
    UpstreamWrite<NoContent> Cancel(string orderId);
}
