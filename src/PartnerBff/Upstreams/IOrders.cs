using Bff.Upstreams;
using Refit;

namespace PartnerBff.Upstreams;

/// <summary>The members of an order that partners see.</summary>
public sealed record Order(
    string Id,
    string Status,
    DateTimeOffset PlacedAt,
    decimal TotalAmount,
    string Currency,
    IReadOnlyList<OrderLine> Items,
    string? Reference = null
);

public sealed record OrderLine(string ProductId, int Quantity, decimal UnitPrice, string? ProductName = null);

public sealed record OrderPage(IReadOnlyList<Order> Items, [property: ServiceCursor] string? NextCursor = null);

public sealed record NewOrder(string? Reference, string Currency, IReadOnlyList<NewOrderLine> Items);

public sealed record NewOrderLine(string ProductId, int Quantity);

/// <summary>The service that owns orders; it knows the tenant from the identity headers.</summary>
public interface IOrders
{
    [Get("/orders")]
    UpstreamCall<OrderPage> List(int limit, string? cursor);

    [Get("/orders/{orderId}")]
    UpstreamCall<Order> Get(string orderId);

    /// <summary>Places an order; sent once, or repeated under the partner's idempotency key.</summary>
    [Post("/orders")]
    UpstreamWrite<Order> Place([Body] NewOrder order, [Header("Idempotency-Key")] string key);

    /// <summary>
    /// Cancels an order. The service decides about one that is already cancelled; with the partner's key a repeat is safe.
    /// </summary>
    [Post("/orders/{orderId}/cancel")]
    UpstreamWrite<Order> Cancel(string orderId, [Header("Idempotency-Key")] string? key);
}
