using Bff.Upstreams;
using Refit;

namespace MobileBff.Upstreams;

public sealed record Product(string Id, string Name, string? ImageUrl);

/// <summary>The product catalogue.</summary>
public interface IProducts
{
    [Get("/products/{productId}")]
    UpstreamCall<Product> Get(string productId);
}

public sealed record ReviewSummary(double Average, int Count);

public sealed record Reviews(ReviewSummary Summary);

/// <summary>The service that owns reviews.</summary>
public interface IReviews
{
    [Get("/products/{productId}/reviews?limit=1")]
    UpstreamCall<Reviews> Summary(string productId);
}

public sealed record Stock(string ProductId, bool InStock);

/// <summary>The service that owns stock levels.</summary>
public interface IInventory
{
    [Get("/inventory/{productId}")]
    UpstreamCall<Stock> Get(string productId);
}

public sealed record Discount(decimal Percentage);

public sealed record Price(string ProductId, decimal Current, string Currency, Discount? Discount = null);

public sealed record PricingData(Price? Pricing = null);

public sealed record PricingVariables(string Id);

/// <summary>The service that owns prices; speaks GraphQL.</summary>
public interface IPricing
{
    private const string Query = "query($id: ID!) { pricing(productId: $id) { productId current currency discount { percentage } } }";

    [Post("/graphql")]
    UpstreamCall<GraphQlAnswer<PricingData>> Ask([Body] GraphQlQuery<PricingVariables> query);

    UpstreamCall<Price> Get(string productId) => Ask(new(Query, new(productId))).Query(data => data.Pricing, UpstreamJson.Default.Price);
}

public sealed record Shipment(string? Carrier, string? TrackingNumber, DateTimeOffset? EstimatedDelivery);

/// <summary>The service that owns shipments.</summary>
public interface IShipping
{
    [Get("/shipments")]
    UpstreamCall<Shipment> ForOrder(string orderId);
}
