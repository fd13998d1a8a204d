namespace PartnerBff.Features.V1;

/// <summary>An order.</summary>
/// <param name="Reference">The partner's own reference; null if none was sent.</param>
/// <param name="Status"><c>pending</c>, <c>paid</c>, <c>shipped</c>, <c>delivered</c> or <c>cancelled</c>; more values may be
/// added.</param>
/// <param name="Total">Total in <paramref name="Currency"/>.</param>
public sealed record OrderV1(
    string Id,
    string? Reference,
    string Status,
    decimal Total,
    string Currency,
    DateTimeOffset PlacedAt,
    IReadOnlyList<OrderItemV1> Items
)
{
    internal static OrderV1 Of(Upstreams.Order order) =>
        new(
            order.Id,
            order.Reference,
            order.Status,
            order.TotalAmount,
            order.Currency,
            order.PlacedAt,
            [.. order.Items.Select(i => new OrderItemV1(i.ProductId, i.ProductName, i.Quantity, i.UnitPrice))]
        );
}

/// <summary>A line of an order.</summary>
/// <param name="UnitPrice">Price in the order's currency.</param>
public sealed record OrderItemV1(string ProductId, string? Name, int Quantity, decimal UnitPrice);
