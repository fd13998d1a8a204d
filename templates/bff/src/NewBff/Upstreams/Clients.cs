using System.Text.Json.Serialization;
using Bff.Upstreams;

namespace NewBff.Upstreams;

/// <summary>What this host reads of a profile.</summary>
public sealed record User(string Id, string Name);

/// <summary>The service that owns profiles.</summary>
public sealed class UsersClient(UpstreamClient users)
{
    public ValueTask<UpstreamAnswer<User>> Get(string userId, CallContext call) =>
        users.Get($"users/{PathSegment.Of(userId)}", UpstreamJson.Default.User, call);
}

public sealed record Recommendation(string ProductId, string Name, decimal Price, string Currency);

public sealed record Recommendations(IReadOnlyList<Recommendation> Items);

/// <summary>The service that picks products for a user.</summary>
public sealed class RecommendationsClient(UpstreamClient recommendations)
{
    public ValueTask<UpstreamAnswer<Recommendations>> For(string userId, int limit, CallContext call) =>
        recommendations.Get($"users/{PathSegment.Of(userId)}/recommendations?limit={limit}", UpstreamJson.Default.Recommendations, call);
}

/// <summary>A required member that is missing or null makes a document garbage; members that are not declared are skipped.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(User))]
[JsonSerializable(typeof(Recommendations))]
internal sealed partial class UpstreamJson : JsonSerializerContext;

internal static class UpstreamClients
{
    /// <summary>The services that this host's answers are made of.</summary>
    public static WebApplicationBuilder AddUpstreams(this WebApplicationBuilder builder) => builder
        .AddUpstreamClient<UsersClient>("users")
        .AddUpstreamClient<RecommendationsClient>("recommendations");
}
