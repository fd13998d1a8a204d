using Bff.Upstreams;
using Refit;

namespace PartnerBff.Upstreams;

public sealed record Product(
    string Id,
    string Name,
    string? Description = null,
    string? Brand = null,
    string? Category = null,
    IReadOnlyDictionary<string, string>? Attributes = null,
    IReadOnlyList<ProductVariant>? Variants = null,
    DateTimeOffset? UpdatedAt = null
);

public sealed record ProductVariant(string Sku, string? Size = null, string? Color = null);

public sealed record ProductPage(IReadOnlyList<Product> Items, [property: ServiceCursor] string? NextCursor = null);

/// <summary>The product catalogue.</summary>
public interface IProducts
{
    [Get("/products")]
    UpstreamCall<ProductPage> List(int limit, string? cursor);

    [Get("/products/{productId}")]
    UpstreamCall<Product> Get(string productId);
}

public sealed record Stock(
    string ProductId,
    bool InStock,
    int Quantity,
    IReadOnlyList<WarehouseStock>? Warehouses = null,
    DateTimeOffset? UpdatedAt = null
);

public sealed record WarehouseStock(string Id, int Quantity);

/// <summary>The service that owns stock levels.</summary>
public interface IInventory
{
    [Get("/inventory/{productId}")]
    UpstreamCall<Stock> Get(string productId);
}
