using WebBff.Upstreams;

namespace WebBff.Features;

/// <summary>An order in a list.</summary>
public sealed record OrderView(
    string Id,
    string Status,
    DateTimeOffset PlacedAt,
    decimal TotalAmount,
    string Currency,
    string? Reference,
    IReadOnlyList<OrderLineView> Items
)
{
    internal static IReadOnlyList<OrderView> First5(OrderList list) => [.. list.Items.Take(5).Select(Of)];

    internal static OrderView Of(Order order) =>
        new(
            order.Id,
            order.Status,
            order.PlacedAt,
            order.TotalAmount,
            order.Currency,
            order.Reference,
            [.. order.Items.Select(i => new OrderLineView(i.ProductId, i.ProductName, i.ProductImageUrl, i.Quantity, i.UnitPrice))]
        );
}

public sealed record OrderLineView(string ProductId, string? ProductName, string? ProductImageUrl, int Quantity, decimal UnitPrice);

/// <summary>A recommended product, for the user or beside another product.</summary>
public sealed record PickView(string ProductId, string Name, string? ImageUrl, decimal Price, string Currency, double? Score)
{
    internal static IReadOnlyList<PickView> Of(PickList picks, int limit) =>
        [.. picks.Items.Take(limit).Select(p => new PickView(p.ProductId, p.Name, p.ImageUrl, p.Price, p.Currency, p.Score))];
}
