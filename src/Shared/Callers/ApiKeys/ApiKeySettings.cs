using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Callers.ApiKeys;

/// <summary>Settings of section <c>ApiKeys</c>. A reload replaces them as a whole.</summary>
[Settings("ApiKeys")]
internal sealed class ApiKeySettings
{
    private const int MinPepperLength = 32;

    private readonly byte[] _pepper;

    private ApiKeySettings(string pepper) => _pepper = Encoding.UTF8.GetBytes(pepper);

    /// <summary>Secret with which API keys are hashed (HMAC) before they are stored. A new pepper invalidates all stored keys.</summary>
    [Setting(
        Range = "at least 32 characters, the same on every instance and never changed",
        Default = "a publicly known text; required in Production"
    )]
    public ReadOnlySpan<byte> Pepper => _pepper;

    /// <summary>How long cached API keys stay valid while the store is unavailable.</summary>
    [Setting(Min = "00:00:00", Max = "1.00:00:00")]
    public TimeSpan MaxStale { get; private init; } = TimeSpan.FromMinutes(10);

    /// <summary>Keys that configuration accepts with every scope, by their hash.</summary>
    [Setting(
        Key = "Bootstrap:<tenant>",
        Range = "a complete API key",
        Default = "none",
        Meaning = "First API key of a tenant. It has every scope."
    )]
    public FrozenDictionary<string, ApiKeyRecord> Bootstrap { get; private set; } = FrozenDictionary<string, ApiKeyRecord>.Empty;

    /// <summary>Returns the HMAC-SHA256 of the key under the pepper. It is stored and looked up in place of the key.</summary>
    public string HashOf(ReadOnlySpan<char> key)
    {
        Span<byte> bytes = stackalloc byte[ApiKeyFormat.Length];
        Encoding.ASCII.GetBytes(key, bytes);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Pepper, bytes, hash);
        return Convert.ToHexStringLower(hash);
    }

    /// <param name="configuration">The root of the configuration.</param>
    /// <param name="mistakes">Collects the mistakes that are found.</param>
    /// <param name="isProduction">Whether the host runs in Production, where a pepper is required.</param>
    /// <param name="scopes">All scopes that a key may have.</param>
    public static ApiKeySettings Parse(
        IConfiguration configuration,
        ConfigurationMistakes mistakes,
        bool isProduction,
        IReadOnlyCollection<string> scopes
    )
    {
        var section = configuration.GetSection("ApiKeys");
        var pepper = section["Pepper"];
        if (string.IsNullOrWhiteSpace(pepper))
        {
            pepper = "development only; says nothing in Production";
            if (isProduction)
            {
                mistakes.Add(
                    section,
                    "Pepper",
                    $"is missing. Give at least {MinPepperLength} random characters from the secret store, the "
                        + "same on every instance, and never change them."
                );
            }
        }
        else if (pepper.Length < MinPepperLength)
        {
            mistakes.Add(section, "Pepper", $"is too short. Give at least {MinPepperLength} random characters.");
        }

        var settings = mistakes.Bind(section, new ApiKeySettings(pepper));
        var bootstrap = new Dictionary<string, ApiKeyRecord>();
        foreach (var entry in section.GetSection("Bootstrap").GetChildren())
        {
            if (entry.Value is { } key && ApiKeyFormat.IsValid(key))
            {
                var hash = settings.HashOf(key);
                bootstrap[hash] = new ApiKeyRecord
                {
                    Id = "key_bootstrap_" + entry.Key,
                    Tenant = entry.Key,
                    Name = "From configuration",
                    Hash = hash,
                    Prefix = ApiKeyFormat.PrefixOf(key),
                    LastFour = ApiKeyFormat.LastFourOf(key),
                    IsTest = ApiKeyFormat.IsTest(key),
                    Scopes = [.. scopes],
                };
            }
            else
            {
                mistakes.Add(
                    entry.Path,
                    "is not an API key. A key is pk_live_ or pk_test_, then 32 characters of 0-9A-Za-z and their 6-character checksum."
                );
            }
        }

        settings.Bootstrap = bootstrap.ToFrozenDictionary();
        return settings;
    }
}
