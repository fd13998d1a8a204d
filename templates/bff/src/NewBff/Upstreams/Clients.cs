using System.Text.Json.Serialization;
using Bff.Upstreams;
using Refit;

namespace NewBff.Upstreams;

/// <summary>The members of a profile that this host reads.</summary>
public sealed record User(string Id, string Name);

/// <summary>The service that owns profiles.</summary>
public interface IUsers
{
    [Get("/users/{userId}")]
    UpstreamCall<User> Get(string userId);
}

public sealed record Recommendation(string ProductId, string Name, decimal Price, string Currency);

public sealed record Recommendations(IReadOnlyList<Recommendation> Items);

/// <summary>The service that picks products for a user.</summary>
public interface IRecommendations
{
    [Get("/users/{userId}/recommendations")]
    UpstreamCall<Recommendations> For(string userId, int limit);
}

/// <summary>
/// Reads services' documents. A required member that is missing or null makes a document invalid; undeclared members are skipped.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(User))]
[JsonSerializable(typeof(Recommendations))]
internal sealed partial class UpstreamJson : JsonSerializerContext;

internal static class UpstreamClients
{
    /// <summary>Registers the clients of the services that this host calls.</summary>
    public static WebApplicationBuilder AddUpstreams(this WebApplicationBuilder builder) =>
        builder.AddUpstream<IUsers>("users").AddUpstream<IRecommendations>("recommendations");
}

/// <summary>Makes the read calls of typed clients. Refit's generator finds it in this assembly.</summary>
internal sealed class Calls<T>() : DeclaredCalls<T>(UpstreamJson.Default);

/// <summary>Makes the write calls of typed clients.</summary>
internal sealed class Writes<T>() : DeclaredWrites<T>(UpstreamJson.Default);
