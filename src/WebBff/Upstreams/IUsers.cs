using Bff.Upstreams;
using Refit;

namespace WebBff.Upstreams;

/// <summary>What the web app needs of a profile.</summary>
public sealed record User(string Id, string Name, string? Email = null, string? Plan = null, string? AvatarUrl = null);

/// <summary>The service that owns profiles.</summary>
public interface IUsers
{
    [Get("/users/{userId}")]
    UpstreamCall<User> Get(string userId);

    /// <summary>Its body is the client's: passed through.</summary>
    [Patch("/users/{userId}")]
    UpstreamWrite<NoContent> Change(string userId);
}
