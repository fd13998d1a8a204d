using MobileBff.Upstreams;

namespace MobileBff.Features;

/// <summary>An order in a list.</summary>
/// <param name="ItemCount">Number of lines, not pieces.</param>
/// <param name="Thumb">Image of the first line.</param>
public sealed record OrderSummary(
    string Id,
    string Status,
    decimal Total,
    string Currency,
    DateTimeOffset Date,
    int ItemCount,
    string? Thumb
)
{
    internal static IReadOnlyList<OrderSummary> First5(OrderPage page) => Shown.First(5, page.Items, Of);

    internal static OrderSummary Of(ListedOrder order) =>
        new(
            order.Id,
            order.Status,
            order.TotalAmount,
            order.Currency,
            order.PlacedAt,
            order.Items.Count,
            Images.Thumb(order.Items.FirstImage)
        );
}
