using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

/// <summary>Finds products in which every word of <c>q</c> occurs; those with the words in the name come first.</summary>
public sealed class Search() : SampleService("search")
{
    private const int RememberedQueries = 512;

    private static readonly string[] Titles = [.. Shop.Products.Select(p => $"{p.Name} {p.Brand} {p.Category}".ToLowerInvariant())];
    private static readonly string[] Texts = [.. Shop.Products.Select(p => p.Description.ToLowerInvariant())];
    private static readonly ReadOnlyMemory<byte>[] Hits = [.. Enumerable.Range(0, Shop.Count).Select(Make)];

    private readonly ConcurrentDictionary<string, int[]> remembered = new();

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET", ["search"]) => SearchAsync(exchange),
            (_, ["search"]) => Answer.MethodNotAllowedAsync(exchange, "GET"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private async Task SearchAsync(Exchange exchange)
    {
        if (exchange.Request.Query["q"] is not [{ } q] || string.IsNullOrWhiteSpace(q))
        {
            await Answer.ProblemAsync(exchange, 400, "query_required", "Say what to look for in q.");
            return;
        }
        if (await Paging.ReadAsync(exchange) is not { } paging)
            return;

        var query = q.ToLowerInvariant();
        if (!remembered.TryGetValue(query, out var found))
        {
            found = Find(query.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            if (remembered.Count < RememberedQueries)
                remembered[query] = found;
        }
        await Answer.ItemsAsync(
            exchange,
            [.. found.Take(paging.Limit).Select(index => Hits[index])],
            Encoding.ASCII.GetBytes($",\"total\":{found.Length},\"tookMs\":3")
        );
    }

    private static int[] Find(string[] words) =>
        [
            .. Enumerable
                .Range(0, Shop.Count)
                .Where(i =>
                    words.All(word =>
                        Titles[i].Contains(word, StringComparison.Ordinal) || Texts[i].Contains(word, StringComparison.Ordinal)
                    )
                )
                .OrderByDescending(i => words.Count(word => Titles[i].Contains(word, StringComparison.Ordinal)))
                .ThenBy(i => i),
        ];

    private static ReadOnlyMemory<byte> Make(int index)
    {
        var (product, price) = (Shop.Products[index], Shop.Prices[index]);
        return JsonSerializer.SerializeToUtf8Bytes(
            new HitDocument(product.Id, product.Name, product.ImageUrl, price.Current, price.Currency, $"<em>{product.Brand}</em>"),
            DocumentJson.Plain.HitDocument
        );
    }
}
