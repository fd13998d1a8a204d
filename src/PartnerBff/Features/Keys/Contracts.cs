using System.Text.Json.Serialization;
using Bff.Callers.ApiKeys;

namespace PartnerBff.Features.Keys;

/// <summary>A key to make.</summary>
/// <param name="Name">What the partner calls it; 1 to 100 characters.</param>
/// <param name="Scopes">What it may do; at least one, and none that the credential lacks that asks.</param>
/// <param name="Mode"><c>live</c> or <c>test</c>; without it, that of the credential that asks.</param>
/// <param name="ExpiresAt">When it ends, at the latest with the credential that asks; when absent, with that, or never if that never
/// ends.</param>
/// <param name="AllowedAddresses">Networks (CIDR) that it may be used from, 100 at most, none wider than those of the key that asks; when
/// absent, those of that key, or any.</param>
public sealed record NewKeyRequest(
    string Name,
    IReadOnlyList<string> Scopes,
    string? Mode = null,
    DateTimeOffset? ExpiresAt = null,
    IReadOnlyList<string>? AllowedAddresses = null
);

/// <summary>How a key is to be rotated.</summary>
/// <param name="OverlapSeconds">How long the old key goes on: 0 to 2 592 000 (30 days), default 86 400 (a day).</param>
public sealed record RotateKeyRequest(int? OverlapSeconds = null);

/// <summary>An API key.</summary>
/// <param name="Key">The key itself: only in the answer that made it.</param>
/// <param name="Prefix">Its first characters, to recognise it by.</param>
/// <param name="LastFour">Its last four.</param>
/// <param name="Mode"><c>live</c> or <c>test</c>.</param>
/// <param name="LastUsedAt">To about ten seconds; null when it was never used.</param>
/// <param name="AllowedAddresses">Networks (CIDR) that it may be used from; absent: any.</param>
/// <param name="PreviousExpiresAt">Only in the answer of a rotation: when the key that was replaced ends.</param>
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
