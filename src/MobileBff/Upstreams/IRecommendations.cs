using System.Text.Json.Serialization;
using Bff.Upstreams;
using Refit;

namespace MobileBff.Upstreams;

[JsonConverter(typeof(RecommendationReader))]
public sealed record Recommendation(string ProductId, string Name, string? ImageUrl, decimal Price, string Currency);

[JsonConverter(typeof(RecommendationsReader))]
public sealed record Recommendations(IReadOnlyList<Recommendation> Items);

/// <summary>The service that picks products for a user.</summary>
public interface IRecommendations
{
    [Get("/users/{userId}/recommendations")]
    UpstreamCall<Recommendations> For(string userId, int limit);
}
