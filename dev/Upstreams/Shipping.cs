using System.Text.Json;
using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

/// <summary>Returns a shipment for every order that is shipped or delivered.</summary>
public sealed class Shipping : SampleService
{
    private static readonly string[] Carriers = ["Chronopost", "DHL", "PostNord", "GLS"];

    private readonly OrderBook book;

    internal Shipping(OrderBook book)
        : base("shipping") => this.book = book;

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET", ["shipments"]) => exchange.Request.Query["orderId"] is [{ Length: > 0 } orderId]
                ? ShipmentAsync(exchange, orderId)
                : Answer.ProblemAsync(exchange, 400, "order_required", "Name the order in orderId."),
            (_, ["shipments"]) => Answer.MethodNotAllowedAsync(exchange, "GET"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private Task ShipmentAsync(Exchange exchange, string orderId) =>
        book.Find(orderId) is { Order: { Status: "shipped" or "delivered" } order } entry
        && exchange.Caller.MaySee(order.CustomerId, entry.Tenant)
            ? Answer.JsonAsync(
                exchange,
                JsonSerializer.SerializeToUtf8Bytes(Make(entry.Number, order), DocumentJson.Plain.ShipmentDocument)
            )
            : Answer.NotFoundAsync(exchange, "shipment");

    private static ShipmentDocument Make(int number, OrderDocument order)
    {
        var dice = new Dice((ulong)number + 60_000);
        var left = order.PlacedAt.AddHours(20);
        List<TrackingEvent> events = [new(left, "picked_up", "Porto, PT"), new(left.AddHours(17), "in_transit", "Lyon, FR")];
        if (order.Status == "delivered")
            events.Add(new(left.AddHours(52), "delivered", $"{order.ShippingAddress.City}, {order.ShippingAddress.Country}"));
        return new ShipmentDocument(
            order.Id,
            dice.Pick<string>(Carriers),
            $"TRK{number:D6}{dice.Roll(1000, 9999)}",
            order.Status == "delivered" ? "delivered" : "in_transit",
            left.AddHours(56),
            [.. events],
            dice.Roll(3, 120) / 10.0
        );
    }
}
