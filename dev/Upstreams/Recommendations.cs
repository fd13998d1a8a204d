using System.Collections.Concurrent;
using System.Text.Json;
using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

public sealed class Recommendations() : SampleService("recommendations")
{
    private const int PicksPerUser = 24;

    // Bounded by the numbers of users and products.
    private static readonly ConcurrentDictionary<string, ReadOnlyMemory<byte>[]> Made = new();

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET", ["users", var id, "recommendations"]) => ForUserAsync(exchange, id),
            ("GET", ["products", var id, "related"]) => Shop.IndexOf(id) is >= 0 and var index
                ? SendAsync(exchange, Made.GetOrAdd(id, static (_, i) => Related(i), index))
                : Answer.NotFoundAsync(exchange, "product"),
            (_, ["users", _, "recommendations"] or ["products", _, "related"]) => Answer.MethodNotAllowedAsync(exchange, "GET"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private static Task ForUserAsync(Exchange exchange, string id)
    {
        if (People.Find(id) is not { })
            return Answer.NotFoundAsync(exchange, "user");
        return Users.Refusal(exchange, id) switch
        {
            404 => Answer.NotFoundAsync(exchange, "user"),
            { } => Answer.ProblemAsync(exchange, 403, "not_your_picks", "Recommendations are their user's alone."),
            null => SendAsync(exchange, Made.GetOrAdd(id, static id => Picks(id))),
        };
    }

    private static async Task SendAsync(Exchange exchange, ReadOnlyMemory<byte>[] picks)
    {
        if (await Paging.ReadAsync(exchange, defaultLimit: 10) is { } paging)
            await Answer.ItemsAsync(exchange, picks[..Math.Min(paging.Limit, picks.Length)]);
    }

    private static ReadOnlyMemory<byte>[] Picks(string userId)
    {
        var dice = new Dice(ulong.Parse(userId.AsSpan(2), System.Globalization.CultureInfo.InvariantCulture) + 40_000);
        var start = dice.Roll(0, Shop.Count - 1);
        var step = dice.Pick<int>([7, 11, 13, 17, 19]);
        return [.. Enumerable.Range(0, PicksPerUser).Select(i => Pick((start + i * step) % Shop.Count, i, "Because of what you bought"))];
    }

    private static ReadOnlyMemory<byte>[] Related(int index) =>
        [
            .. Enumerable
                .Range(0, Shop.Count)
                .Where(other => other != index && Shop.Products[other].Category == Shop.Products[index].Category)
                .OrderBy(other => Math.Abs(other - index))
                .ThenBy(other => other)
                .Take(PicksPerUser)
                .Select((other, rank) => Pick(other, rank, "Often bought together")),
        ];

    private static ReadOnlyMemory<byte> Pick(int index, int rank, string reason)
    {
        var (product, price) = (Shop.Products[index], Shop.Prices[index]);
        return JsonSerializer.SerializeToUtf8Bytes(
            new PickDocument(
                product.Id,
                product.Name,
                product.ImageUrl,
                price.Current,
                price.Currency,
                Math.Round(0.97 - rank * 0.03, 2),
                reason
            ),
            DocumentJson.Plain.PickDocument
        );
    }
}
