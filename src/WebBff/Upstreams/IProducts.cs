using Bff.Upstreams;
using Refit;

namespace WebBff.Upstreams;

/// <summary>The members of a product that the web app needs.</summary>
public sealed record Product(
    string Id,
    string Name,
    string? Description = null,
    string? Brand = null,
    string? Category = null,
    string? ImageUrl = null,
    IReadOnlyList<string>? Gallery = null,
    IReadOnlyDictionary<string, string>? Attributes = null,
    IReadOnlyList<ProductVariant>? Variants = null,
    string? UpdatedAt = null
);

public sealed record ProductVariant(string Sku, string? Size = null, string? Color = null);

public sealed record ProductList(IReadOnlyList<Product> Items, [property: ServiceCursor] string? NextCursor = null);

/// <summary>Reads lists of products from the product catalogue over REST.</summary>
public interface IProducts
{
    [Get("/products")]
    UpstreamCall<ProductList> List(int limit, string? cursor, string? category);

    /// <summary>Reads several products in one call; unknown ids are left out.</summary>
    [Get("/products")]
    UpstreamCall<ProductList> Batch([Query(CollectionFormat.Csv)] IEnumerable<string> ids);

    /// <summary>Reads any number of products; a long order has more ids than fit into one address.</summary>
    UpstreamCall<ProductList> Of(IEnumerable<string> ids) =>
        Bff.Upstreams.Batch.Of(ids, 50, Batch, lists => new ProductList([.. lists.SelectMany(l => l.Items)]));
}
