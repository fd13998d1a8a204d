using System.Text.Json.Serialization;
using Bff.Edge;
using Bff.Requests;

namespace Bff.Callers.ApiKeys;

/// <summary>What is stored of an API key; never the key itself.</summary>
public sealed record ApiKeyRecord
{
    /// <summary>The id of the key, which reveals nothing about it.</summary>
    public required string Id { get; init; }

    /// <summary>The tenant that owns the key.</summary>
    public required string Tenant { get; init; }

    /// <summary>The name that the partner gave the key.</summary>
    public required string Name { get; init; }

    /// <summary>HMAC-SHA256 of the key under the pepper, in hexadecimal.</summary>
    public required string Hash { get; init; }

    /// <summary>The key's first characters.</summary>
    public required string Prefix { get; init; }

    /// <summary>The key's last four characters.</summary>
    public required string LastFour { get; init; }

    /// <summary>Whether the key is for the sandbox.</summary>
    public bool IsTest { get; init; }

    /// <summary>Scopes of the key.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Networks that the key may be used from (CIDR); null for any.</summary>
    public IReadOnlyList<string>? AllowedAddresses { get; init; }

    /// <summary>When the key was created.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the key expires; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Whether another key has replaced this one, so that <see cref="ExpiresAt"/> is the end of the overlap.</summary>
    public bool IsRotated { get; init; }

    /// <summary>When a rotated key would have expired; null when it would not have, or when it has not been rotated.</summary>
    public DateTimeOffset? OwnExpiresAt { get; init; }

    /// <summary>When a key that replaces this one expires; null for never.</summary>
    [JsonIgnore]
    public DateTimeOffset? EndWhenRotated => IsRotated ? OwnExpiresAt : ExpiresAt;

    /// <summary>The browser session with which the key ends; null for none.</summary>
    public string? Session { get; init; }

    /// <summary>When the key was last used, to about ten seconds. It is stored apart, so that using a key never rewrites the key.</summary>
    [JsonIgnore]
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Whether the key has expired.</summary>
    public bool IsExpired(DateTimeOffset now) => ExpiresAt <= now;

    /// <inheritdoc />
    public override string ToString() => Id; // The hash must not reach a log.

    internal Caller ToCaller() =>
        new()
        {
            Subject = Id,
            Kind = CallerKind.ApiKey,
            Tenant = Tenant,
            Name = Name,
            KeyId = Id,
            KeyHash = Hash,
            ExpiresAt = ExpiresAt,
            IsSandbox = IsTest,
            AllowedAddresses = AllowedAddresses
                ?.Select(a => AddressNetworks.TryParse(a, out var network) ? network : AddressNetworks.Nowhere)
                .ToArray(),
            Scopes = System.Collections.Frozen.FrozenSet.ToFrozenSet(Scopes, StringComparer.Ordinal),
        };
}

[JsonSerializable(typeof(ApiKeyRecord))]
internal sealed partial class ApiKeyJson : JsonSerializerContext;
