using Bff.Composition;
using Bff.Paging;
using MobileBff.Features.HomeFeed;
using MobileBff.Upstreams;

namespace MobileBff.Features.Search;

/// <summary>Products that match the query.</summary>
/// <param name="Total">Number of all matches, including those that are not listed.</param>
public sealed record SearchResult(IReadOnlyList<Pick> Items, int Total);

internal static class GetSearch
{
    private const int MaxLength = 200;

    public static async Task<Composed<SearchResult>> Handle(string? q, string? limit, Composer composer, ISearch search)
    {
        var size = PageLimit.Of(limit);
        var query = SearchText.Of(q, MaxLength);
        var found = composer.Required("search", search.Find(query, size)); // Upstreams:search:HedgeAfter hedges it after 100 ms.

        var answer = await composer.Compose(
            () =>
                new SearchResult(
                    [
                        .. found
                            .Value.Items.Take(size)
                            .Select(h => new Pick(h.ProductId, h.Name, h.Price, h.Currency, Images.Thumb(h.ImageUrl))),
                    ],
                    found.Value.Total
                ),
            MobileJson.Answers.SearchResult
        );
        return answer.WithoutMeta();
    }
}
