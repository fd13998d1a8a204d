using System.Globalization;
using Bff.Dev.Upstreams.Data;
using Catalog.V1;
using Grpc.Core;

namespace Bff.Dev.Upstreams;

/// <summary>The catalogue's gRPC methods.</summary>
internal sealed class ProductCatalogService : ProductCatalog.ProductCatalogBase
{
    private static readonly Product[] Messages = [.. Shop.Products.Select(Message)];

    public override Task<Product> GetProduct(GetProductRequest request, ServerCallContext context) =>
        Shop.IndexOf(request.Id) is >= 0 and var index
            ? Task.FromResult(Messages[index])
            : throw new RpcException(new Status(StatusCode.NotFound, "no such product"));

    public override Task<GetProductsResponse> GetProducts(GetProductsRequest request, ServerCallContext context)
    {
        var answer = new GetProductsResponse();
        answer.Products.AddRange(Shop.IndexesOf(request.Ids).Select(index => Messages[index]));
        return Task.FromResult(answer);
    }

    private static Product Message(ProductDocument from)
    {
        var product = new Product
        {
            Id = from.Id,
            Name = from.Name,
            Description = from.Description,
            Brand = from.Brand,
            Category = from.Category,
            ImageUrl = from.ImageUrl,
            UpdatedAt = from.UpdatedAt.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        };
        product.Gallery.Add(from.Gallery);
        product.Attributes.Add(from.Attributes);
        product.Variants.Add(
            from.Variants.Select(v => new global::Catalog.V1.Variant
            {
                Sku = v.Sku,
                Size = v.Size,
                Color = v.Color,
            })
        );
        return product;
    }
}
