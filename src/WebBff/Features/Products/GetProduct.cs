using System.Text.Json.Serialization;
using Bff.Caching;
using Bff.Composition;
using Bff.Paging;
using Bff.Requests;
using Microsoft.AspNetCore.OpenApi;
using WebBff.Upstreams;
using static Bff.Composition.Durations;

namespace WebBff.Features.Products;

/// <summary>
/// One product. A failed part is null; a part that <c>include</c> leaves out is absent. <c>_meta.sections</c> gives the status of each.
/// </summary>
public sealed record ProductPage(
    ProductView Product,
    PricingView? Pricing,
    InventoryView? Inventory,
    ProductReviews? Reviews,
    IReadOnlyList<PickView>? Related,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
)
{
    [JsonIgnore]
    internal ProductParts Included { get; init; } = ProductParts.All;

    /// <summary>Describes all members other than the product as optional in the OpenAPI document.</summary>
    internal static void Describe(OpenApiOptions options) =>
        options.AddSchemaTransformer(
            static (schema, context, _) =>
            {
                if (context.JsonTypeInfo.Type == typeof(ProductPage))
                {
                    schema.Required = new HashSet<string> { "product" };
                }

                return Task.CompletedTask;
            }
        );
}

public sealed record PricingView(decimal Current, string Currency, DiscountView? Discount);

public sealed record InventoryView(bool InStock, int Quantity);

public sealed record ProductReviews(ReviewSummaryView Summary, IReadOnlyList<ReviewView> Items, string? NextCursor);

internal static class GetProduct
{
    private const int ReviewsShown = 5,
        RelatedShown = 6;

    public static async Task<Composed<ProductPage>> Handle(
        string id,
        string? include,
        Caller caller,
        Composer composer,
        Cursors cursors,
        CatalogClient catalog,
        IPricing pricing,
        IInventory inventory,
        IReviews reviews,
        IRecommendations recommendations
    )
    {
        var parts = ProductPartsQuery.Read(include);
        var pages = await GetReviews.Cursors(cursors, caller, id);

        var product = composer
            .Required("product", catalog.Get(id))
            .Timeout(Milliseconds(500))
            .Cached(CacheScope.Public, $"products:{id}", fresh: Seconds(30), stale: Minutes(10));
        var price = composer
            .Optional("pricing", pricing.Get(id))
            .Timeout(Milliseconds(500))
            .OnlyIf(parts.HasFlag(ProductParts.Pricing))
            .Cached(CacheScope.Public, $"pricing:{id}", fresh: Seconds(5), stale: Seconds(60));
        var stock = composer
            .Optional("inventory", inventory.Get(id))
            .Timeout(Milliseconds(500))
            .OnlyIf(parts.HasFlag(ProductParts.Inventory))
            .Cached(CacheScope.Public, $"inventory:{id}", fresh: Seconds(5), stale: Seconds(60));
        var review = composer
            .Optional("reviews", reviews.Of(id, ReviewsShown))
            .Timeout(Seconds(2))
            .OnlyIf(parts.HasFlag(ProductParts.Reviews))
            .Cached(CacheScope.Public, $"reviews:{id}", fresh: Seconds(60), stale: Hours(1));
        var related = composer
            .Optional("related", recommendations.Related(id, RelatedShown))
            .Timeout(Seconds(2))
            .OnlyIf(parts.HasFlag(ProductParts.Related))
            .Cached(CacheScope.Public, $"related:{id}", fresh: Seconds(60), stale: Hours(1));

        return await composer.Compose(
            () =>
                new ProductPage(
                    ProductView.Of(product.Value),
                    price.Value is { } p ? new PricingView(p.Current, p.Currency, DiscountView.Of(p.Discount)) : null,
                    stock.Value is { } s ? new InventoryView(s.InStock, s.Quantity) : null,
                    review.Value is { } r
                        ? new ProductReviews(ReviewSummaryView.Of(r.Summary), ReviewView.Of(r), pages.Seal(r.NextCursor))
                        : null,
                    related.Value is { } picks ? PickView.Of(picks, RelatedShown) : null
                )
                {
                    Included = parts,
                },
            WebJson.ProductPageType
        );
    }
}
