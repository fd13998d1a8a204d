using System.Text.Json.Serialization;
using Bff.Caching;
using Bff.Composition;
using MobileBff.Upstreams;
using static Bff.Composition.Durations;

namespace MobileBff.Features.Products;

/// <summary>One product. Members of a failed part are null.</summary>
/// <param name="DiscountPercent">Absent if there is no discount; null if pricing failed.</param>
public sealed record ProductDetail(
    string Id,
    string Name,
    decimal? Price,
    string? Currency,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] OptionalNumber DiscountPercent,
    string? Image,
    string? Thumb,
    double? Rating,
    int? ReviewCount,
    bool? InStock,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

internal static class GetProduct
{
    public static Task<Composed<ProductDetail>> Handle(
        string id,
        Composer composer,
        IProducts products,
        IPricing pricing,
        IReviews reviews,
        IInventory inventory
    )
    {
        var product = composer
            .Required("product", products.Get(id))
            .Cached(CacheScope.Public, $"products:{id}", fresh: Seconds(30), stale: Minutes(10));
        var price = composer
            .Optional("pricing", pricing.Get(id))
            .Timeout(Milliseconds(500))
            .Cached(CacheScope.Public, $"pricing:{id}", fresh: Seconds(5), stale: Seconds(60));
        var review = composer
            .Optional("reviews", reviews.Summary(id))
            .Timeout(Seconds(2))
            .Cached(CacheScope.Public, $"reviews:{id}", fresh: Seconds(60), stale: Hours(1));
        var stock = composer
            .Optional("inventory", inventory.Get(id))
            .Timeout(Milliseconds(500))
            .Cached(CacheScope.Public, $"inventory:{id}", fresh: Seconds(5), stale: Seconds(60));

        return composer.Compose(
            () =>
                new ProductDetail(
                    product.Value.Id,
                    product.Value.Name,
                    price.Value?.Current,
                    price.Value?.Currency,
                    price.Status.Succeeded() ? OptionalNumber.Of(price.Value?.Discount?.Percentage) : OptionalNumber.Unknown,
                    Images.Image(product.Value.ImageUrl),
                    Images.Thumb(product.Value.ImageUrl),
                    review.Value?.Summary.Average,
                    review.Value?.Summary.Count,
                    stock.Value?.InStock
                ),
            MobileJson.Answers.ProductDetail
        );
    }
}
