using Bff.Upstreams;

namespace WebBff.Upstreams;

/// <summary>What the web app needs of a profile.</summary>
public sealed record User(string Id, string Name, string? Email = null, string? Plan = null, string? AvatarUrl = null);

/// <summary>The service that owns profiles.</summary>
public sealed class UsersClient(UpstreamClient users)
{
    public ValueTask<UpstreamAnswer<User>> Get(string userId, CallContext call) =>
        users.Get($"users/{PathSegment.Of(userId)}", UpstreamJson.Default.User, call);
}
