using System.Text.Json.Serialization;
using Bff.Composition;
using MobileBff.Upstreams;

namespace MobileBff.Features.Orders;

/// <summary>
/// One order. <paramref name="Tracking"/> is null if there is no shipment (yet), or if shipping failed, which <c>_meta.degraded</c> then
/// states.
/// </summary>
public sealed record OrderDetail(
    string Id,
    string Status,
    decimal Total,
    string Currency,
    int ItemCount,
    DateTimeOffset Date,
    IReadOnlyList<OrderItem> Items,
    bool HasMoreItems,
    Tracking? Tracking,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

public sealed record OrderItem(string? Name, int Qty, decimal Price, string? Thumb);

public sealed record Tracking(string? Carrier, string? Number, DateTimeOffset? Eta);

internal static class GetOrder
{
    private const int ItemsShown = 3;

    public static async Task<Composed<OrderDetail>> Handle(string id, Composer composer, IOrders orders, IShipping shipping)
    {
        var order = composer.Required("order", orders.Get(id));
        var shipment = composer
            .Optional("shipping", shipping.ForOrder(id))
            .After(order, when: () => order.Value.Status is "shipped" or "delivered");

        var answer = await composer.Compose(() => Shape(order.Value, shipment.Value), MobileJson.Answers.OrderDetail);
        return answer.Cacheable(maxAgeSeconds: 60);
    }

    private static OrderDetail Shape(Order order, Shipment? shipment) =>
        new(
            order.Id,
            order.Status,
            order.TotalAmount,
            order.Currency,
            order.Items.Count,
            order.PlacedAt,
            [
                .. order
                    .Items.Take(ItemsShown)
                    .Select(i => new OrderItem(i.ProductName, i.Quantity, i.UnitPrice, Images.Thumb(i.ProductImageUrl))),
            ],
            order.Items.Count > ItemsShown,
            shipment is null ? null : new Tracking(shipment.Carrier, shipment.TrackingNumber, shipment.EstimatedDelivery)
        );
}
