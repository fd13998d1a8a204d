using System.Globalization;

namespace PartnerBff.Features.V2;

/// <summary>An amount of money, as text, so that no reader rounds it.</summary>
/// <param name="Amount">Decimal number such as <c>49.99</c>, with a dot and without an exponent.</param>
/// <param name="Currency">ISO 4217.</param>
public sealed record Money(string Amount, string Currency)
{
    internal static Money Of(decimal amount, string currency) =>
        new(amount.ToString("0.00##########", CultureInfo.InvariantCulture), currency);
}

/// <summary>An order as in v1, but with money as objects.</summary>
public sealed record OrderV2(
    string Id,
    string? Reference,
    string Status,
    Money Total,
    DateTimeOffset PlacedAt,
    IReadOnlyList<OrderItemV2> Items
)
{
    internal static OrderV2 Of(Upstreams.Order order) =>
        new(
            order.Id,
            order.Reference,
            order.Status,
            Money.Of(order.TotalAmount, order.Currency),
            order.PlacedAt,
            [.. order.Items.Select(i => new OrderItemV2(i.ProductId, i.ProductName, i.Quantity, Money.Of(i.UnitPrice, order.Currency)))]
        );
}

/// <summary>A line of an order.</summary>
public sealed record OrderItemV2(string ProductId, string? Name, int Quantity, Money UnitPrice);
