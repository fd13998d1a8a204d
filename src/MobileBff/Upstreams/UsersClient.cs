using System.Text.Json;
using Bff.Upstreams;

namespace MobileBff.Upstreams;

/// <summary>What the feed needs of a profile.</summary>
public sealed record User(string Id, string Name, string? AvatarUrl);

/// <summary>What the app's own page of the profile shows.</summary>
public sealed record UserProfile(
    string Id, string Name, string? Email = null, string? AvatarUrl = null, string? Locale = null, UserPreferences? Preferences = null);

public sealed record UserPreferences(IReadOnlyDictionary<string, JsonElement>? Mobile = null);

/// <summary>The service that owns profiles.</summary>
public sealed class UsersClient(UpstreamClient users)
{
    public ValueTask<UpstreamAnswer<User>> Get(string userId, CallContext call) =>
        users.Get($"users/{PathSegment.Of(userId)}", UpstreamJson.Default.User, call);

    public ValueTask<UpstreamAnswer<UserProfile>> Profile(string userId, CallContext call) =>
        users.Get($"users/{PathSegment.Of(userId)}", UpstreamJson.Default.UserProfile, call);

    public ValueTask<UpstreamAnswer<UserProfile>> Patch(string userId, ReadOnlyMemory<byte> patch, CallContext call) =>
        users.Write(HttpMethod.Patch, $"users/{PathSegment.Of(userId)}", patch, UpstreamJson.Default.UserProfile, call);
}
