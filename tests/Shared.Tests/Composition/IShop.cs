using System.Text.Json.Serialization;
using Bff.Upstreams;
using Refit;

namespace Bff.Shared.Tests.Composition;

public sealed record Customer(string Id, string City);

public sealed record Item(string Id);

public sealed record Items([property: JsonPropertyName("items")] IReadOnlyList<Item> All);

public sealed record Quote(int Days);

public sealed record Amount(decimal Value);

public readonly record struct Position(int Row, int Shelf);

public sealed record Draft(string Product);

public sealed record Stored(string Id);

public sealed record Account(string Name);

public sealed record Entry(string Id, DateTimeOffset At);

/// <summary>The upstream that the recipes call.</summary>
public interface IShop
{
    [Get("/customers/{id}")]
    UpstreamCall<Customer> Customer(string id);

    [Get("/products/{id}")]
    UpstreamCall<Item> Product(string id);

    [Get("/products")]
    UpstreamCall<Items> Products([Query(CollectionFormat.Csv)] IEnumerable<string> ids);

    [Get("/quotes")]
    UpstreamCall<Quote> Quote(string city, string product);

    [Get("/prices/{id}")]
    UpstreamCall<Amount> Price(string id);

    [Get("/list-prices/{id}")]
    UpstreamCall<Amount> ListPrice(string id);

    [Get("/points/{id}")]
    UpstreamCall<int> Points(string id);

    [Get("/positions/{id}")]
    UpstreamCall<Position> PositionOf(string id);

    [Get("/shelves/{row}")]
    UpstreamCall<Item> Shelf(int row);

    [Post("/orders")]
    UpstreamWrite<Stored> Place([Body] Draft draft, [Header("Idempotency-Key")] string? key = null);

    [Post("/orders/{id}/cancel")]
    UpstreamWrite<NoContent> Cancel(string id);

    [Post("/payments")]
    UpstreamWrite<Stored> Pay([Body] Stored order);

    [Post("/exports")]
    UpstreamWrite<Stored> Export();

    [Get("/profiles/{id}")]
    UpstreamCall<Account> Account(string id);

    [Put("/profiles/{id}")]
    UpstreamWrite<Account> Change(string id, [Body] Account changed, [Header("If-Match")] string ifMatch);

    [Put("/files/{id}")]
    UpstreamWrite<Stored> Upload(string id, [Body] UploadedFile file);

    [Get("/letters")]
    UpstreamCall<CursorPage<Entry>> Letters(string? cursor, int limit);

    [Get("/messages")]
    UpstreamCall<CursorPage<Entry>> Messages(string? cursor, int limit);
}
