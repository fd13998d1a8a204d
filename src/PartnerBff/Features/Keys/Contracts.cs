using System.Text.Json.Serialization;
using Bff.Callers.ApiKeys;

namespace PartnerBff.Features.Keys;

/// <summary>A key to create.</summary>
/// <param name="Name">The partner's name for it, 1 to 100 characters.</param>
/// <param name="Scopes">At least one scope, and none that the requesting credential lacks.</param>
/// <param name="Mode"><c>live</c> or <c>test</c>; by default that of the requesting credential.</param>
/// <param name="ExpiresAt">When it expires, at the latest with the requesting credential; by default together with that one, or never if
/// that one never expires.</param>
/// <param name="AllowedAddresses">Networks (CIDR) from which it may be used, at most 100, none wider than those of the requesting key; by
/// default those of that key, or any.</param>
public sealed record NewKeyRequest(
    string Name,
    IReadOnlyList<string> Scopes,
    string? Mode = null,
    DateTimeOffset? ExpiresAt = null,
    IReadOnlyList<string>? AllowedAddresses = null
);

/// <summary>How to rotate a key.</summary>
/// <param name="OverlapSeconds">How long the old key remains valid: 0 to 2 592 000 (30 days), default 86 400 (a day).</param>
public sealed record RotateKeyRequest(int? OverlapSeconds = null);

/// <summary>An API key.</summary>
/// <param name="Key">The key itself; only in the answer that creates it.</param>
/// <param name="Prefix">Its first characters, by which to recognize it.</param>
/// <param name="LastFour">Its last four characters.</param>
/// <param name="Mode"><c>live</c> or <c>test</c>.</param>
/// <param name="LastUsedAt">Accurate to about ten seconds; null if it was never used.</param>
/// <param name="AllowedAddresses">Networks (CIDR) from which it may be used; absent for any.</param>
/// <param name="PreviousExpiresAt">When the replaced key expires; only in the answer of a rotation.</param>
public sealed record KeyContract(
    string Id,
    string Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Key,
    string Prefix,
    string LastFour,
    string Mode,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? AllowedAddresses,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? PreviousExpiresAt
)
{
    internal static KeyContract Of(ApiKeyRecord record, string? key = null, DateTimeOffset? previousExpiresAt = null) =>
        new(
            record.Id,
            record.Name,
            key,
            record.Prefix,
            record.LastFour,
            record.IsTest ? "test" : "live",
            record.Scopes,
            record.CreatedAt,
            record.ExpiresAt,
            record.LastUsedAt,
            record.AllowedAddresses,
            previousExpiresAt
        );
}
