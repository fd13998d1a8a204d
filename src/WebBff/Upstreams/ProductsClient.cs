using Bff.Upstreams;

namespace WebBff.Upstreams;

/// <summary>What the web app needs of a product.</summary>
public sealed record Product(
    string Id, string Name, string? Description = null, string? Brand = null, string? Category = null, string? ImageUrl = null,
    IReadOnlyList<string>? Gallery = null, IReadOnlyDictionary<string, string>? Attributes = null, IReadOnlyList<ProductVariant>? Variants = null,
    string? UpdatedAt = null);

public sealed record ProductVariant(string Sku, string? Size = null, string? Color = null);

public sealed record ProductList(IReadOnlyList<Product> Items, string? NextCursor = null);

/// <summary>The product catalogue over REST: lists.</summary>
public sealed class ProductsClient(UpstreamClient products)
{
    public ValueTask<UpstreamAnswer<ProductList>> List(int limit, string? cursor, string? category, CallContext call) =>
        products.Get(
            $"products?limit={limit}{CursorQuery.Of(cursor)}{(category is null ? "" : "&category=" + PathSegment.Query(category))}",
            UpstreamJson.Default.ProductList, call);

    /// <summary>All of them in one call; unknown ids are left out.</summary>
    public ValueTask<UpstreamAnswer<ProductList>> Batch(IEnumerable<string> ids, CallContext call) =>
        products.Get($"products?ids={PathSegment.List(ids)}", UpstreamJson.Default.ProductList, call);
}
