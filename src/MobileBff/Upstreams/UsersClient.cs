using Bff.Upstreams;

namespace MobileBff.Upstreams;

/// <summary>What the mobile app needs of a profile.</summary>
public sealed record User(string Id, string Name, string? AvatarUrl);

/// <summary>The service that owns profiles.</summary>
public sealed class UsersClient(UpstreamClient users)
{
    public ValueTask<UpstreamAnswer<User>> Get(string userId, CallContext call) =>
        users.Get($"users/{PathSegment.Of(userId)}", UpstreamJson.Default.User, call);
}
