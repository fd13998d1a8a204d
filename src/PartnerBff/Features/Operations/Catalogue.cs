using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>A product of the catalogue. The same in every version.</summary>
public sealed record ProductContract(
    string Id,
    string Name,
    string? Description,
    string? Brand,
    string? Category,
    IReadOnlyDictionary<string, string> Attributes,
    IReadOnlyList<VariantContract> Variants,
    DateTimeOffset? UpdatedAt
)
{
    internal static ProductContract Of(Product product) =>
        new(
            product.Id,
            product.Name,
            product.Description,
            product.Brand,
            product.Category,
            product.Attributes ?? new Dictionary<string, string>(),
            [.. (product.Variants ?? []).Select(v => new VariantContract(v.Sku, v.Size, v.Color))],
            product.UpdatedAt
        );
}

/// <summary>A variant in which a product is sold.</summary>
public sealed record VariantContract(string Sku, string? Size, string? Color);

/// <summary>The stock of a product. The same in every version.</summary>
public sealed record InventoryContract(
    string ProductId,
    bool InStock,
    int Quantity,
    IReadOnlyList<WarehouseContract> Warehouses,
    DateTimeOffset? UpdatedAt
)
{
    internal static InventoryContract Of(Stock stock) =>
        new(
            stock.ProductId,
            stock.InStock,
            stock.Quantity,
            [.. (stock.Warehouses ?? []).Select(w => new WarehouseContract(w.Id, w.Quantity))],
            stock.UpdatedAt
        );
}

/// <summary>The stock of one warehouse.</summary>
public sealed record WarehouseContract(string Id, int Quantity);

/// <summary>Reads products and stock.</summary>
internal static class Catalogue
{
    public static Task<Composed<Page<ProductContract>>> Products(HttpContext context, Composer composer, IProducts products) =>
        Lists.Page(
            context,
            "products",
            composer,
            products.List,
            page => page.Items.Select(ProductContract.Of),
            page => page.NextCursor,
            PartnerJson.Answers.PageProductContract
        );

    public static async Task<Composed<ProductContract>> Product(string id, Composer composer, IProducts products)
    {
        var product = composer.Required("product", products.Get(id));
        return (await composer.Compose(() => ProductContract.Of(product.Value), PartnerJson.Answers.ProductContract)).WithoutMeta();
    }

    public static async Task<Composed<InventoryContract>> Inventory(
        [Microsoft.AspNetCore.Mvc.FromRoute(Name = "product_id")] string productId,
        Composer composer,
        IInventory inventory
    )
    {
        var stock = composer.Required("inventory", inventory.Get(productId));
        return (await composer.Compose(() => InventoryContract.Of(stock.Value), PartnerJson.Answers.InventoryContract)).WithoutMeta();
    }
}
