using System.Text.Json.Serialization;
using Bff.Upstreams;

namespace MobileBff.Upstreams;

[JsonConverter(typeof(RecommendationReader))]
public sealed record Recommendation(string ProductId, string Name, string? ImageUrl, decimal Price, string Currency);

public sealed record Recommendations(IReadOnlyList<Recommendation> Items);

/// <summary>The service that picks products for a user.</summary>
public sealed class RecommendationsClient(UpstreamClient recommendations)
{
    public ValueTask<UpstreamAnswer<Recommendations>> For(string userId, int limit, CallContext call) =>
        recommendations.Get($"users/{PathSegment.Of(userId)}/recommendations?limit={limit}", UpstreamJson.Default.Recommendations, call);
}
