using Bff.Upstreams;
using Refit;

namespace MobileBff.Upstreams;

public sealed record Hit(string ProductId, string Name, string? ImageUrl, decimal Price, string Currency);

public sealed record Hits(IReadOnlyList<Hit> Items, int Total);

/// <summary>The service that searches products.</summary>
public interface ISearch
{
    [Get("/search")]
    UpstreamCall<Hits> Find([AliasAs("q")] string query, int limit);
}
