using Bff.Upstreams;
using Refit;

namespace WebBff.Upstreams;

public sealed record ReviewSummary(double Average, int Count, IReadOnlyDictionary<string, int>? Histogram = null);

public sealed record Review(
    string Id,
    int Rating,
    DateTimeOffset CreatedAt,
    string? Title = null,
    string? Body = null,
    ReviewAuthor? Author = null
);

public sealed record ReviewAuthor(string Id, string? Name = null);

public sealed record ReviewList(IReadOnlyList<Review> Items, ReviewSummary Summary, [property: ServiceCursor] string? NextCursor = null);

/// <summary>The service that owns reviews.</summary>
public interface IReviews
{
    [Get("/products/{productId}/reviews")]
    UpstreamCall<ReviewList> Of(string productId, int limit, string? cursor = null);
}

public sealed record Stock(string ProductId, bool InStock, int Quantity);

public sealed record StockList(IReadOnlyList<Stock> Items);

/// <summary>The service that owns stock levels.</summary>
public interface IInventory
{
    [Get("/inventory/{productId}")]
    UpstreamCall<Stock> Get(string productId);

    [Get("/inventory")]
    UpstreamCall<StockList> Batch([Query(CollectionFormat.Csv)] IEnumerable<string> ids);

    /// <summary>Reads the stock of any number of products, in several calls if needed.</summary>
    UpstreamCall<StockList> Of(IEnumerable<string> ids) =>
        Bff.Upstreams.Batch.Of(ids, 50, Batch, lists => new StockList([.. lists.SelectMany(l => l.Items)]));
}

public sealed record Discount(decimal Percentage, DateTimeOffset? ValidUntil = null);

public sealed record Price(string ProductId, decimal Current, string Currency, Discount? Discount = null);

public sealed record PriceList(IReadOnlyList<Price> Items);

public sealed record PricingData(Price? Pricing = null);

public sealed record PricingVariables(string Id);

public sealed record PricesData(IReadOnlyList<Price?> Prices);

public sealed record PricesVariables(IReadOnlyList<string> Ids);

/// <summary>The service that owns prices; speaks GraphQL.</summary>
public interface IPricing
{
    private const string One =
        "query($id: ID!) { pricing(productId: $id) { productId current currency discount { percentage validUntil } } }";
    private const string Many =
        "query($ids: [ID!]!) { prices(productIds: $ids) { productId current currency discount { percentage validUntil } } }";

    [Post("/graphql")]
    UpstreamCall<GraphQlAnswer<PricingData>> Ask([Body] GraphQlQuery<PricingVariables> query);

    [Post("/graphql")]
    UpstreamCall<GraphQlAnswer<PricesData>> Ask([Body] GraphQlQuery<PricesVariables> query);

    UpstreamCall<Price> Get(string productId) =>
        Ask(new GraphQlQuery<PricingVariables>(One, new(productId))).Query(data => data.Pricing, UpstreamJson.Default.Price);

    UpstreamCall<PriceList> Batch(IReadOnlyList<string> ids) =>
        Ask(new GraphQlQuery<PricesVariables>(Many, new(ids)))
            .Query(data => new PriceList([.. data.Prices.OfType<Price>()]), UpstreamJson.Default.PriceList);
}

public sealed record Pick(string ProductId, string Name, decimal Price, string Currency, string? ImageUrl = null, double? Score = null);

public sealed record PickList(IReadOnlyList<Pick> Items);

/// <summary>The service that recommends products, for a user or beside a product.</summary>
public interface IRecommendations
{
    [Get("/users/{userId}/recommendations")]
    UpstreamCall<PickList> For(string userId, int limit);

    [Get("/products/{productId}/related")]
    UpstreamCall<PickList> Related(string productId, int limit);
}
