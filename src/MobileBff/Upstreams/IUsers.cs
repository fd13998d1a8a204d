using System.Text.Json;
using Bff.Upstreams;
using Refit;

namespace MobileBff.Upstreams;

/// <summary>The members of a profile that the feed needs.</summary>
public sealed record User(string Id, string Name, string? AvatarUrl);

/// <summary>The members of a profile that the app's profile page shows.</summary>
public sealed record UserProfile(
    string Id,
    string Name,
    string? Email = null,
    string? AvatarUrl = null,
    string? Locale = null,
    UserPreferences? Preferences = null
);

public sealed record UserPreferences(IReadOnlyDictionary<string, JsonElement>? Mobile = null);

/// <summary>The service that owns profiles.</summary>
public interface IUsers
{
    [Get("/users/{userId}")]
    UpstreamCall<User> Get(string userId);

    [Get("/users/{userId}")]
    UpstreamCall<UserProfile> Profile(string userId);

    /// <summary>Changes the profile with a merge patch (RFC 7396).</summary>
    [Patch("/users/{userId}")]
    UpstreamWrite<UserProfile> Change(string userId, [Body] WrittenJson patch);
}
