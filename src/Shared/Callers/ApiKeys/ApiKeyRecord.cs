using System.Text.Json.Serialization;
using Bff.Edge;
using Bff.Requests;

namespace Bff.Callers.ApiKeys;

/// <summary>What is kept of an API key; never the key.</summary>
public sealed record ApiKeyRecord
{
    /// <summary>Names the key; says nothing about it.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string Tenant { get; init; }

    /// <summary>The partner's own name for it.</summary>
    public required string Name { get; init; }

    /// <summary>HMAC-SHA256 of the key under the pepper, hexadecimal.</summary>
    public required string Hash { get; init; }

    /// <summary>The key's first characters.</summary>
    public required string Prefix { get; init; }

    /// <summary>The key's last four characters.</summary>
    public required string LastFour { get; init; }

    /// <summary>Of the sandbox.</summary>
    public bool IsTest { get; init; }

    /// <summary>What it may do.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Networks that it may be used from (CIDR); null: any.</summary>
    public IReadOnlyList<string>? AllowedAddresses { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Whether another has taken its place, so that <see cref="ExpiresAt"/> is the overlap's end.</summary>
    public bool IsRotated { get; init; }

    /// <summary>When a rotated key would have ended; null: never, or it has not been rotated.</summary>
    public DateTimeOffset? OwnExpiresAt { get; init; }

    /// <summary>When a key ends that takes its place; null: never.</summary>
    [JsonIgnore]
    public DateTimeOffset? EndWhenRotated => IsRotated ? OwnExpiresAt : ExpiresAt;

    /// <summary>The browser session with which it ends; null: none.</summary>
    public string? Session { get; init; }

    /// <summary>Its last use, to about ten seconds; kept apart, so that using a key never rewrites it.</summary>
    [JsonIgnore]
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Whether it has ended.</summary>
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
