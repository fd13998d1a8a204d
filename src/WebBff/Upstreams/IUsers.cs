using Bff.Upstreams;
using Refit;

namespace WebBff.Upstreams;

/// <summary>The members of a profile that the web app needs.</summary>
public sealed record User(string Id, string Name, string? Email = null, string? Plan = null, string? AvatarUrl = null);

/// <summary>The service that owns profiles.</summary>
public interface IUsers
{
    [Get("/users/{userId}")]
    UpstreamCall<User> Get(string userId);

    /// <summary>Changes the profile; the body is passed through from the client.</summary>
    [Patch("/users/{userId}")]
    UpstreamWrite<NoContent> Change(string userId);
}
