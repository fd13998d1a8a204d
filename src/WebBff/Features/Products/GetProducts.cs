using System.Text.Json.Serialization;
using Bff.Composition;
using Bff.Paging;
using Bff.Requests;
using WebBff.Upstreams;
using static Bff.Composition.Durations;

namespace WebBff.Features.Products;

/// <summary>A page of the catalogue.</summary>
public sealed record ProductListPage(
    IReadOnlyList<ProductListItem> Items,
    string? NextCursor,
    bool HasMore,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

/// <summary>A product with its price and stock, which are null if their service failed or does not know the product.</summary>
public sealed record ProductListItem(
    string Id,
    string Name,
    string? Description,
    string? Brand,
    string? Category,
    string? ImageUrl,
    IReadOnlyList<string> Gallery,
    IReadOnlyDictionary<string, string> Attributes,
    IReadOnlyList<VariantView> Variants,
    string? UpdatedAt,
    decimal? Price,
    string? Currency,
    DiscountView? Discount,
    bool? InStock
);

internal static class GetProducts
{
    public static async Task<Composed<ProductListPage>> Handle(
        string? limit,
        string? cursor,
        string? category,
        Caller caller,
        Composer composer,
        Cursors cursors,
        IProducts products,
        IPricing pricing,
        IInventory inventory,
        HttpContext context
    )
    {
        var size = PageLimit.Of(limit);
        var pages = await cursors.For("web/products", caller, category);
        var place = await pages.Open(cursor, context.RequestAborted);

        var list = composer.Required("products", products.List(size, place, category)).At(place);
        var prices = composer.Optional("pricing", list, l => l.Items.Count > 0 ? pricing.Batch(Ids(l)) : null).Timeout(Milliseconds(500));
        var stock = composer.Optional("inventory", list, l => l.Items.Count > 0 ? inventory.Of(Ids(l)) : null).Timeout(Milliseconds(500));

        string? next = null;
        var answer = await composer.Compose(
            () =>
                new ProductListPage(
                    Items(list.Value, prices.Value, stock.Value),
                    next = pages.Seal(list.Value.NextCursor),
                    next is not null
                ),
            WebJson.Answers.ProductListPage
        );
        return answer.WithLink(NextLink.Of(context, next));
    }

    private static string[] Ids(ProductList list) => [.. list.Items.Select(p => p.Id).Distinct()];

    private static List<ProductListItem> Items(ProductList list, PriceList? prices, StockList? stock)
    {
        var priceOf = new Dictionary<string, Price>(StringComparer.Ordinal);
        foreach (var price in prices?.Items ?? [])
        {
            priceOf[price.ProductId] = price;
        }

        var stockOf = new Dictionary<string, Stock>(StringComparer.Ordinal);
        foreach (var level in stock?.Items ?? [])
        {
            stockOf[level.ProductId] = level;
        }

        return
        [
            .. list.Items.Select(product =>
                Item(ProductView.Of(product), priceOf.GetValueOrDefault(product.Id), stockOf.GetValueOrDefault(product.Id))
            ),
        ];
    }

    private static ProductListItem Item(ProductView p, Price? price, Stock? stock) =>
        new(
            p.Id,
            p.Name,
            p.Description,
            p.Brand,
            p.Category,
            p.ImageUrl,
            p.Gallery,
            p.Attributes,
            p.Variants,
            p.UpdatedAt,
            price?.Current,
            price?.Currency,
            DiscountView.Of(price?.Discount),
            stock?.InStock
        );
}
