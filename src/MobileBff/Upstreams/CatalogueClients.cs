using Bff.Upstreams;

namespace MobileBff.Upstreams;

public sealed record Product(string Id, string Name, string? ImageUrl);

/// <summary>The product catalogue.</summary>
public sealed class ProductsClient(UpstreamClient products)
{
    public ValueTask<UpstreamAnswer<Product>> Get(string productId, CallContext call) =>
        products.Get($"products/{PathSegment.Of(productId)}", UpstreamJson.Default.Product, call);
}

public sealed record ReviewSummary(double Average, int Count);

public sealed record Reviews(ReviewSummary Summary);

/// <summary>The service that owns reviews.</summary>
public sealed class ReviewsClient(UpstreamClient reviews)
{
    public ValueTask<UpstreamAnswer<Reviews>> Summary(string productId, CallContext call) =>
        reviews.Get($"products/{PathSegment.Of(productId)}/reviews?limit=1", UpstreamJson.Default.Reviews, call);
}

public sealed record Stock(string ProductId, bool InStock);

/// <summary>The service that owns stock levels.</summary>
public sealed class InventoryClient(UpstreamClient inventory)
{
    public ValueTask<UpstreamAnswer<Stock>> Get(string productId, CallContext call) =>
        inventory.Get($"inventory/{PathSegment.Of(productId)}", UpstreamJson.Default.Stock, call);
}

public sealed record Discount(decimal Percentage);

public sealed record Price(string ProductId, decimal Current, string Currency, Discount? Discount = null);

public sealed record PricingAnswer(PricingData? Data = null, IReadOnlyList<GraphQlError>? Errors = null) : IGraphQlAnswer
{
    public bool HasErrors => Errors is { Count: > 0 };
}

public sealed record PricingData(Price? Pricing = null);

public sealed record GraphQlError(string? Message = null);

public sealed record PricingVariables(string Id);

/// <summary>The service that owns prices; speaks GraphQL.</summary>
public sealed class PricingClient(UpstreamClient pricing)
{
    private const string Query = "query($id: ID!) { pricing(productId: $id) { productId current currency discount { percentage } } }";
    private readonly GraphQlClient _graphQl = new(pricing);

    public async ValueTask<UpstreamAnswer<Price>> Get(string productId, CallContext call)
    {
        var variables = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new PricingVariables(productId), UpstreamJson.Default.PricingVariables);
        var answer = await _graphQl.Query(Query, variables, UpstreamJson.Default.PricingAnswer, call);
        return answer is { IsOk: true, Value.Data.Pricing: { } price } ? UpstreamAnswer<Price>.Ok(price)
            : answer.IsOk ? UpstreamAnswer<Price>.No(answer.Value!.Data is null ? UpstreamOutcome.Failed : UpstreamOutcome.NotFound)
            : answer.As<Price>();
    }
}

public sealed record Shipment(string? Carrier, string? TrackingNumber, DateTimeOffset? EstimatedDelivery);

/// <summary>The service that owns shipments.</summary>
public sealed class ShippingClient(UpstreamClient shipping)
{
    public ValueTask<UpstreamAnswer<Shipment>> ForOrder(string orderId, CallContext call) =>
        shipping.Get($"shipments?orderId={PathSegment.Query(orderId)}", UpstreamJson.Default.Shipment, call);
}
