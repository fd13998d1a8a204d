using System.Globalization;
using Bff.Upstreams;

namespace MobileBff.Upstreams;

public sealed record Hit(string ProductId, string Name, string? ImageUrl, decimal Price, string Currency);

public sealed record Hits(IReadOnlyList<Hit> Items, int Total);

/// <summary>The service that searches products.</summary>
public sealed class SearchClient(UpstreamClient search)
{
    public ValueTask<UpstreamAnswer<Hits>> Find(string query, int limit, CallContext call) =>
        search.Get(string.Create(CultureInfo.InvariantCulture, $"search?q={PathSegment.Query(query)}&limit={limit}"), UpstreamJson.Default.Hits, call);
}
