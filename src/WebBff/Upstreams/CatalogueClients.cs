using System.Text.Json;
using Bff.Upstreams;

namespace WebBff.Upstreams;

public sealed record ReviewSummary(double Average, int Count, IReadOnlyDictionary<string, int>? Histogram = null);

public sealed record Review(string Id, int Rating, DateTimeOffset CreatedAt, string? Title = null, string? Body = null, ReviewAuthor? Author = null);

public sealed record ReviewAuthor(string Id, string? Name = null);

public sealed record ReviewList(IReadOnlyList<Review> Items, ReviewSummary Summary, string? NextCursor = null);

/// <summary>The service that owns reviews.</summary>
public sealed class ReviewsClient(UpstreamClient reviews)
{
    public ValueTask<UpstreamAnswer<ReviewList>> Of(string productId, int limit, string? cursor, CallContext call) =>
        reviews.Get($"products/{PathSegment.Of(productId)}/reviews?limit={limit}{CursorQuery.Of(cursor)}", UpstreamJson.Default.ReviewList, call);
}

public sealed record Stock(string ProductId, bool InStock, int Quantity);

public sealed record StockList(IReadOnlyList<Stock> Items);

/// <summary>The service that owns stock levels.</summary>
public sealed class InventoryClient(UpstreamClient inventory)
{
    public ValueTask<UpstreamAnswer<Stock>> Get(string productId, CallContext call) =>
        inventory.Get($"inventory/{PathSegment.Of(productId)}", UpstreamJson.Default.Stock, call);

    public ValueTask<UpstreamAnswer<StockList>> Batch(IEnumerable<string> ids, CallContext call) =>
        inventory.Get($"inventory?ids={PathSegment.List(ids)}", UpstreamJson.Default.StockList, call);
}

public sealed record Discount(decimal Percentage, DateTimeOffset? ValidUntil = null);

public sealed record Price(string ProductId, decimal Current, string Currency, Discount? Discount = null);

public sealed record PriceList(IReadOnlyList<Price> Items);

public sealed record PricingAnswer(PricingData? Data = null, IReadOnlyList<GraphQlError>? Errors = null) : IGraphQlAnswer
{
    public bool HasErrors => Errors is { Count: > 0 };
}

public sealed record PricingData(Price? Pricing = null, IReadOnlyList<Price?>? Prices = null);

public sealed record GraphQlError(string? Message = null);

public sealed record PricingVariables(string Id);

public sealed record PricesVariables(IReadOnlyList<string> Ids);

/// <summary>The service that owns prices; speaks GraphQL.</summary>
public sealed class PricingClient(UpstreamClient pricing)
{
    private const string One = "query($id: ID!) { pricing(productId: $id) { productId current currency discount { percentage validUntil } } }";
    private const string Many = "query($ids: [ID!]!) { prices(productIds: $ids) { productId current currency discount { percentage validUntil } } }";
    private readonly GraphQlClient _graphQl = new(pricing);

    public async ValueTask<UpstreamAnswer<Price>> Get(string productId, CallContext call)
    {
        var variables = JsonSerializer.SerializeToUtf8Bytes(new PricingVariables(productId), UpstreamJson.Default.PricingVariables);
        var answer = await _graphQl.Query(One, variables, UpstreamJson.Default.PricingAnswer, call);
        return answer is { IsOk: true, Value.Data.Pricing: { } price } ? UpstreamAnswer<Price>.Ok(price)
            : answer.IsOk ? UpstreamAnswer<Price>.No(answer.Value!.Data is null ? UpstreamOutcome.Failed : UpstreamOutcome.NotFound)
            : answer.As<Price>();
    }

    public async ValueTask<UpstreamAnswer<PriceList>> Batch(IReadOnlyList<string> ids, CallContext call)
    {
        var variables = JsonSerializer.SerializeToUtf8Bytes(new PricesVariables(ids), UpstreamJson.Default.PricesVariables);
        var answer = await _graphQl.Query(Many, variables, UpstreamJson.Default.PricingAnswer, call);
        return answer is { IsOk: true, Value.Data.Prices: { } prices } ? UpstreamAnswer<PriceList>.Ok(new PriceList([.. prices.OfType<Price>()]))
            : answer.IsOk ? UpstreamAnswer<PriceList>.No(UpstreamOutcome.Failed)
            : answer.As<PriceList>();
    }
}

public sealed record Pick(string ProductId, string Name, decimal Price, string Currency, string? ImageUrl = null, double? Score = null);

public sealed record PickList(IReadOnlyList<Pick> Items);

/// <summary>The service that picks products, for a user or beside a product.</summary>
public sealed class RecommendationsClient(UpstreamClient recommendations)
{
    public ValueTask<UpstreamAnswer<PickList>> For(string userId, int limit, CallContext call) =>
        recommendations.Get($"users/{PathSegment.Of(userId)}/recommendations?limit={limit}", UpstreamJson.Default.PickList, call);

    public ValueTask<UpstreamAnswer<PickList>> Related(string productId, int limit, CallContext call) =>
        recommendations.Get($"products/{PathSegment.Of(productId)}/related?limit={limit}", UpstreamJson.Default.PickList, call);
}
