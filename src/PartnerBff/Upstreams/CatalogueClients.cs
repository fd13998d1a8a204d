using Bff.Upstreams;

namespace PartnerBff.Upstreams;

public sealed record Product(
    string Id, string Name, string? Description = null, string? Brand = null, string? Category = null,
    IReadOnlyDictionary<string, string>? Attributes = null, IReadOnlyList<ProductVariant>? Variants = null, DateTimeOffset? UpdatedAt = null);

public sealed record ProductVariant(string Sku, string? Size = null, string? Color = null);

public sealed record ProductPage(IReadOnlyList<Product> Items, string? NextCursor = null);

/// <summary>The product catalogue.</summary>
public sealed class ProductsClient(UpstreamClient products)
{
    public ValueTask<UpstreamAnswer<ProductPage>> List(int limit, string? cursor, CallContext call) =>
        products.Get(Paged.Path("products", limit, cursor), UpstreamJson.Default.ProductPage, call);

    public ValueTask<UpstreamAnswer<Product>> Get(string productId, CallContext call) =>
        products.Get($"products/{PathSegment.Of(productId)}", UpstreamJson.Default.Product, call);
}

public sealed record Stock(string ProductId, bool InStock, int Quantity, IReadOnlyList<WarehouseStock>? Warehouses = null, DateTimeOffset? UpdatedAt = null);

public sealed record WarehouseStock(string Id, int Quantity);

/// <summary>The service that owns stock levels.</summary>
public sealed class InventoryClient(UpstreamClient inventory)
{
    public ValueTask<UpstreamAnswer<Stock>> Get(string productId, CallContext call) =>
        inventory.Get($"inventory/{PathSegment.Of(productId)}", UpstreamJson.Default.Stock, call);
}

internal static class Paged
{
    public static string Path(string resource, int limit, string? cursor) =>
        cursor is null ? $"{resource}?limit={limit}" : $"{resource}?limit={limit}&cursor={PathSegment.Query(cursor)}";
}
