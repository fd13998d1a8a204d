using Bff.Composition;
using Bff.Paging;
using WebBff.Upstreams;

namespace WebBff.Features.Search;

/// <summary>Products that match the query.</summary>
public sealed record SearchResults(IReadOnlyList<SearchItem> Items, int Total);

public sealed record SearchItem(string ProductId, string Name, string? ImageUrl, decimal Price, string Currency);

internal static class GetSearch
{
    private const int LongestQuery = 200;

    public static async Task<Composed<SearchResults>> Handle(string? q, string? limit, Composer composer, ISearch search)
    {
        var size = PageLimit.Of(limit);
        var query = SearchText.Of(q, LongestQuery);
        var found = composer.Required("search", search.Find(query, size));
        var answer = await composer.Compose(
            () =>
                new SearchResults(
                    [.. found.Value.Items.Take(size).Select(h => new SearchItem(h.ProductId, h.Name, h.ImageUrl, h.Price, h.Currency))],
                    found.Value.Total
                ),
            WebJson.Answers.SearchResults
        );
        return answer.WithoutMeta();
    }
}
