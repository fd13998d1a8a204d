using Bff.Upstreams;
using Catalog.V1;

namespace WebBff.Upstreams;

/// <summary>Reads single products from the product catalogue over gRPC.</summary>
internal sealed class CatalogClient(GrpcClient<ProductCatalog.ProductCatalogClient> catalog)
{
    public UpstreamCall<Product> Get(string productId) =>
        catalog.Read(client => client.GetProductAsync(new() { Id = productId }), Read, UpstreamJson.Default.Product);

    // Protobuf has no required members, so a product without id or name is rejected here.
    private static Product? Read(Catalog.V1.Product product) =>
        product is { Id.Length: 0 } or { Name.Length: 0 }
            ? null
            : new(
                product.Id,
                product.Name,
                Text(product.Description),
                Text(product.Brand),
                Text(product.Category),
                Text(product.ImageUrl),
                [.. product.Gallery],
                new Dictionary<string, string>(product.Attributes),
                [.. product.Variants.Select(v => new ProductVariant(v.Sku, Text(v.Size), Text(v.Color)))],
                Text(product.UpdatedAt)
            );

    private static string? Text(string value) => value.Length == 0 ? null : value;
}
