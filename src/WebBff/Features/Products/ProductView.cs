using WebBff.Upstreams;

namespace WebBff.Features.Products;

public sealed record ProductView(
    string Id,
    string Name,
    string? Description,
    string? Brand,
    string? Category,
    string? ImageUrl,
    IReadOnlyList<string> Gallery,
    IReadOnlyDictionary<string, string> Attributes,
    IReadOnlyList<VariantView> Variants,
    string? UpdatedAt
)
{
    internal static ProductView Of(Product p) =>
        new(
            p.Id,
            p.Name,
            p.Description,
            p.Brand,
            p.Category,
            p.ImageUrl,
            p.Gallery ?? [],
            p.Attributes ?? new Dictionary<string, string>(),
            [.. (p.Variants ?? []).Select(v => new VariantView(v.Sku, v.Size, v.Color))],
            p.UpdatedAt
        );
}

public sealed record VariantView(string Sku, string? Size, string? Color);

public sealed record DiscountView(decimal Percentage, DateTimeOffset? ValidUntil)
{
    internal static DiscountView? Of(Discount? discount) => discount is null ? null : new(discount.Percentage, discount.ValidUntil);
}

public sealed record ReviewView(string Id, int Rating, string? Title, string? Body, ReviewAuthorView? Author, DateTimeOffset CreatedAt)
{
    internal static List<ReviewView> Of(ReviewList reviews) =>
        [
            .. reviews.Items.Select(r => new ReviewView(
                r.Id,
                r.Rating,
                r.Title,
                r.Body,
                r.Author is { } a ? new ReviewAuthorView(a.Id, a.Name) : null,
                r.CreatedAt
            )),
        ];
}

public sealed record ReviewAuthorView(string Id, string? Name);

public sealed record ReviewSummaryView(double Average, int Count, IReadOnlyDictionary<string, int>? Histogram)
{
    internal static ReviewSummaryView Of(ReviewSummary summary) => new(summary.Average, summary.Count, summary.Histogram);
}
