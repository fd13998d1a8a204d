using System.Text.Json.Serialization;
using Bff.Composition;
using WebBff.Upstreams;

namespace WebBff.Features.Orders;

/// <summary>
/// One order. <paramref name="Shipping"/> is null if there is no shipment (yet), or if shipping failed, which <c>_meta.sections</c> then
/// states.
/// </summary>
public sealed record OrderDetail(
    OrderHead Order,
    CustomerView? Customer,
    IReadOnlyList<OrderItemView> Items,
    ShippingView? Shipping,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

public sealed record OrderHead(string Id, string Status, DateTimeOffset PlacedAt, decimal TotalAmount, string Currency);

public sealed record CustomerView(string Id, string Name, string? Email);

public sealed record OrderItemView(int Quantity, decimal UnitPrice, OrderItemProduct Product);

public sealed record OrderItemProduct(string Id, string? Name, string? ImageUrl);

public sealed record ShippingView(string? TrackingNumber, string? Carrier, DateTimeOffset? EstimatedDelivery, string? Status);

internal static class GetOrder
{
    public static Task<Composed<OrderDetail>> Handle(
        string id,
        Composer composer,
        IOrders orders,
        IUsers users,
        IProducts products,
        IShipping shipping
    )
    {
        var order = composer.Required("order", orders.Get(id));
        var customer = composer.Optional("customer", order, o => users.Get(o.CustomerId));
        var catalogue = composer
            .Optional("products", order, o => o.Items.Count > 0 ? products.Of(o.Items.Select(i => i.ProductId)) : null)
            .Fallback(() => AsOrdered(order.Value));
        var shipment = composer
            .Optional("shipping", shipping.ForOrder(id))
            .After(order, when: () => order.Value.Status is "shipped" or "delivered");

        return composer.Compose(() => Shape(order.Value, customer.Value, catalogue.Value, shipment.Value), WebJson.Answers.OrderDetail);
    }

    // The order keeps the data of its products from the day it was placed.
    private static ProductList AsOrdered(Order order) =>
        new([.. order.Items.Select(i => new Product(i.ProductId, i.ProductName ?? i.ProductId, ImageUrl: i.ProductImageUrl))]);

    private static OrderDetail Shape(Order order, User? customer, ProductList? catalogue, Shipment? shipment)
    {
        var known = new Dictionary<string, Product>(StringComparer.Ordinal);
        foreach (var product in catalogue?.Items ?? [])
        {
            known[product.Id] = product;
        }

        return new OrderDetail(
            new OrderHead(order.Id, order.Status, order.PlacedAt, order.TotalAmount, order.Currency),
            customer is null ? null : new CustomerView(customer.Id, customer.Name, customer.Email),
            [
                .. order.Items.Select(line => new OrderItemView(
                    line.Quantity,
                    line.UnitPrice,
                    Product(line, known.GetValueOrDefault(line.ProductId))
                )),
            ],
            shipment is null
                ? null
                : new ShippingView(shipment.TrackingNumber, shipment.Carrier, shipment.EstimatedDelivery, shipment.Status)
        );
    }

    // A product that is no longer in the catalogue still has the name under which it was ordered.
    private static OrderItemProduct Product(OrderLine line, Product? product) =>
        new(line.ProductId, product?.Name ?? line.ProductName, product?.ImageUrl ?? line.ProductImageUrl);
}
