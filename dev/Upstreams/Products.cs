using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

public sealed class Products() : SampleService("products")
{
    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET", ["products", var id]) when Shop.IndexOf(id) is >= 0 and var index => Answer.JsonAsync(
                exchange,
                Shop.ProductJson[index]
            ),
            ("GET", ["products", _]) => Answer.NotFoundAsync(exchange, "product"),
            ("GET", ["products"]) when Batch.Ids(exchange) is { } ids => Batch.AnswerAsync(exchange, ids, Shop.ProductJson),
            ("GET", ["products"]) => PageAsync(exchange),
            (_, ["products", ..]) => Answer.MethodNotAllowedAsync(exchange, "GET"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private static async Task PageAsync(Exchange exchange)
    {
        if (await Paging.ReadAsync(exchange) is not { } paging)
            return;
        var category = exchange.Request.Query["category"] is [{ Length: > 0 } wanted] ? wanted : null;
        var page = new List<ReadOnlyMemory<byte>>(paging.Limit);
        var last = paging.After ?? -1;
        for (var i = last + 1; i < Shop.Count; i++)
        {
            if (category is not null && Shop.Products[i].Category != category)
                continue;
            if (page.Count == paging.Limit)
            {
                await Answer.PageAsync(exchange, page, last);
                return;
            }
            page.Add(Shop.ProductJson[i]);
            last = i;
        }
        await Answer.PageAsync(exchange, page, next: null);
    }
}
