using System.Text.Json;
using System.Text.Json.Serialization;
using MobileBff.Upstreams;

namespace MobileBff.Features.Me;

/// <summary>The caller's own profile. Members without a value are left out.</summary>
/// <param name="Preferences">Preferences of the mobile app.</param>
public sealed record Profile(
    string Id,
    string Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Email,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Avatar,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Locale,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, JsonElement>? Preferences
)
{
    internal static Profile Of(UserProfile user) =>
        new(user.Id, user.Name, user.Email, Images.Avatar(user.AvatarUrl), user.Locale, user.Preferences?.Mobile);
}

/// <summary>Changes to the profile (merge patch, RFC 7396): absent members stay, null removes.</summary>
public sealed record ProfilePatch(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Locale,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, JsonElement>? Preferences
);
