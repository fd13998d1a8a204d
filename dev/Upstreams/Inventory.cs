using System.Text.Json;
using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

public sealed class Inventory() : SampleService("inventory")
{
    private static readonly ReadOnlyMemory<byte>[] Stock = [.. Enumerable.Range(0, Shop.Count).Select(Make)];

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET", ["inventory", var id]) when Shop.IndexOf(id) is >= 0 and var index => Answer.JsonAsync(exchange, Stock[index]),
            ("GET", ["inventory", _]) => Answer.NotFoundAsync(exchange, "product"),
            ("GET", ["inventory"]) when Batch.Ids(exchange) is { } ids => Batch.AnswerAsync(exchange, ids, Stock),
            ("GET", ["inventory"]) => Answer.ProblemAsync(exchange, 400, "ids_required", "Name the products in ids."),
            (_, ["inventory", ..]) => Answer.MethodNotAllowedAsync(exchange, "GET"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private static ReadOnlyMemory<byte> Make(int index)
    {
        var dice = new Dice((ulong)index + 20_000);
        Warehouse[] warehouses = Shop.IsSoldOut(index)
            ? [new("wh-lyon", 0), new("wh-oslo", 0)]
            : [new("wh-lyon", dice.Roll(1, 40)), new("wh-oslo", dice.Roll(0, 25)), new("wh-porto", dice.Roll(0, 60))];
        var quantity = warehouses.Sum(w => w.Quantity);
        return JsonSerializer.SerializeToUtf8Bytes(
            new StockDocument(
                Shop.Products[index].Id,
                quantity > 0,
                quantity,
                warehouses,
                Shop.Epoch.AddMinutes(-dice.Roll(1, 900)),
                quantity > 0 ? null : Shop.Epoch.AddDays(60)
            ),
            DocumentJson.Plain.StockDocument
        );
    }
}
