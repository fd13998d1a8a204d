using System.Text;
using System.Text.Json;
using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

/// <summary>About 6000 reviews, generated when their product is first requested; p-1 has the 128 of the contract's example.</summary>
public sealed class Reviews() : SampleService("reviews")
{
    private static readonly Lazy<Shelf>[] Shelves =
    [
        .. Enumerable.Range(0, Shop.Count).Select(index => new Lazy<Shelf>(() => Make(index))),
    ];
    private static readonly string[] Titles =
    [
        "Exactly what I needed",
        "Good, with one catch",
        "Disappointed",
        "Worth every cent",
        "Solid",
        "Third one in the family",
    ];

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET", ["products", var id, "reviews"]) when Shop.IndexOf(id) is >= 0 and var index => PageAsync(
                exchange,
                Shelves[index].Value
            ),
            ("GET", ["products", _, "reviews"]) => Answer.NotFoundAsync(exchange, "product"),
            (_, ["products", _, "reviews"]) => Answer.MethodNotAllowedAsync(exchange, "GET"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private static async Task PageAsync(Exchange exchange, Shelf shelf)
    {
        if (await Paging.ReadAsync(exchange) is not { } paging)
            return;
        var start = Math.Min(shelf.Reviews.Length, (paging.After ?? -1) + 1);
        var end = Math.Min(shelf.Reviews.Length, start + paging.Limit);
        await Answer.PageAsync(exchange, shelf.Reviews[start..end], end < shelf.Reviews.Length ? end - 1 : null, shelf.Summary);
    }

    private static Shelf Make(int index)
    {
        var dice = new Dice((ulong)index + 30_000);
        int[] counts =
            index == 0 ? [3, 5, 12, 40, 68] : [dice.Roll(0, 2), dice.Roll(0, 3), dice.Roll(1, 5), dice.Roll(2, 10), dice.Roll(2, 14)];
        var ratings = counts.SelectMany((count, i) => Enumerable.Repeat(i + 1, count)).ToArray();
        for (var i = ratings.Length - 1; i > 0; i--)
        {
            var other = dice.Roll(0, i);
            (ratings[i], ratings[other]) = (ratings[other], ratings[i]);
        }

        var reviews = new ReadOnlyMemory<byte>[ratings.Length];
        for (var i = 0; i < reviews.Length; i++)
        {
            var author = dice.Pick<UserDocument>(People.All);
            reviews[i] = JsonSerializer.SerializeToUtf8Bytes(
                new ReviewDocument(
                    $"r-{index + 1}-{i + 1}",
                    $"p-{index + 1}",
                    ratings[i],
                    dice.Pick<string>(Titles),
                    Text.Review(ref dice),
                    new Author(author.Id, author.Name),
                    Shop.Epoch.AddHours(-i * 19 - index),
                    i % 3 != 0
                ),
                DocumentJson.Plain.ReviewDocument
            );
        }

        var average = Math.Round((decimal)ratings.Sum() / ratings.Length, 1, MidpointRounding.AwayFromZero);
        var histogram = counts
            .Select((count, i) => (Stars: i + 1, count))
            .ToDictionary(p => p.Stars.ToString(System.Globalization.CultureInfo.InvariantCulture), p => p.count);
        var summary = JsonSerializer.SerializeToUtf8Bytes(
            new ReviewSummary(average, ratings.Length, histogram),
            DocumentJson.Plain.ReviewSummary
        );
        return new Shelf(reviews, $",\"summary\":{Encoding.UTF8.GetString(summary)}");
    }

    private sealed record Shelf(ReadOnlyMemory<byte>[] Reviews, string Summary);
}
