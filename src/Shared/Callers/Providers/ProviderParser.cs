using System.Collections.Frozen;
using System.Text;
using Bff.Callers.Keys;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Callers.Providers;

/// <summary>Reads one provider's section and reports every mistake with its key.</summary>
internal static class ProviderParser
{
    private const int MinSecretBytes = 32; // RFC 7518 section 3.2 requires at least the size of the hash.
    private static readonly string[] EntraPlaces = ["common", "organizations", "consumers"];

    /// <summary>Reads <c>Authentication:Providers:&lt;name&gt;</c> or <c>Authentication:Schemes:Bearer</c>.</summary>
    public static ProviderSettings Parse(IConfigurationSection section, bool isScheme, ConfigurationMistakes mistakes)
    {
        ProviderSettings read = isScheme
            ? mistakes.Bind(section, new BearerSchemeSettings { Path = section.Path })
            : mistakes.Bind(section, new NamedProviderSettings { Path = section.Path });
        var secrets = new List<VerificationKey>();
        ReadSigningKeys(section.GetSection("SigningKeys"), secrets, mistakes);
        string[] audiences = [.. Values(section, "Audience", "ValidAudience", "ValidAudiences")];
        var settings = read with
        {
            Authority = section["Authority"],
            MetadataAddress = Metadata(section, read.RequireHttpsMetadata, mistakes),
            Audiences = audiences,
            Issuers = [.. Values(section, "ValidIssuer", "ValidIssuers").Concat(secrets.Select(s => s.Issuer).OfType<string>()).Distinct()],
            Secrets = secrets,
            AllowedTenants = [.. Values(section, "AllowedTenants")],
            AllowedClients = [.. Values(section, "AllowedClients")],
            Claims = ReadClaims(section, read, audiences, mistakes),
        };
        CheckTenants(section, settings, mistakes);
        return settings;
    }

    /// <summary>Adds a key for HS256. A weak key is a mistake.</summary>
    public static void AddSecret(
        List<VerificationKey> secrets,
        string path,
        ReadOnlySpan<byte> bytes,
        string? kid,
        string? issuer,
        ConfigurationMistakes mistakes
    )
    {
        if (bytes.Length < MinSecretBytes)
        {
            mistakes.Add(path, $"is shorter than {MinSecretBytes} bytes, so that it could be guessed. Generate a longer random one.");
            return;
        }

        secrets.Add(VerificationKey.Secret(bytes.ToArray(), kid, issuer));
    }

    private static Uri? Metadata(IConfigurationSection section, bool requireHttps, ConfigurationMistakes mistakes)
    {
        var (key, text) = section["MetadataAddress"] is { Length: > 0 } address
            ? ("MetadataAddress", address)
            : (
                "Authority",
                section["Authority"] is { Length: > 0 } authority ? authority.TrimEnd('/') + "/.well-known/openid-configuration" : null
            );
        return text is null
            ? null
            : HttpAddress.Parse(
                section,
                key,
                text,
                requireHttps
                    ? "is not https: an attacker on the network could replace the keys. Use https, or "
                        + "RequireHttpsMetadata=false in development."
                    : null,
                mistakes
            );
    }

    private static ClaimMap ReadClaims(
        IConfigurationSection section,
        ProviderSettings read,
        string[] audiences,
        ConfigurationMistakes mistakes
    )
    {
        var defaults = ClaimDefaults.Of(read.Type, audiences);
        var claims = section.GetSection("Claims");
        return defaults with
        {
            Subject = Or("Subject", defaults.Subject),
            Email = Or("Email", defaults.Email),
            Name = Or("Name", defaults.Name),
            Roles = Or("Roles", defaults.Roles),
            Scopes = Or("Scopes", defaults.Scopes),
            Tenant = Or("Tenant", defaults.Tenant),
            Client = Or("Client", defaults.Client),
            ScopePrefix = section["ScopePrefix"] is { Length: > 0 } prefix ? prefix : null,
            ScopeAliases = ReadAliases(section.GetSection("ScopeAliases"), mistakes),
            RolesAsScopes = read.RolesAsScopes ?? defaults.RolesAsScopes,
        };

        string[] Or(string key, string[] otherwise) => Values(claims, key).ToArray() is { Length: > 0 } listed ? listed : otherwise;
    }

    private static FrozenDictionary<string, string> ReadAliases(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        var aliases = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var alias in section.GetChildren())
        {
            var (from, to) = alias.Value is null ? (alias["From"], alias["To"]) : (alias.Key, alias.Value);
            if (
                string.IsNullOrWhiteSpace(from)
                || string.IsNullOrWhiteSpace(to)
                || from.Contains(' ', StringComparison.Ordinal)
                || to.Contains(' ', StringComparison.Ordinal)
            )
            {
                mistakes.Add(alias.Path, "is not a scope of the gateway. Write it as the value, or { From, To } with both scopes.");
            }
            else if (!aliases.TryAdd(from, to) && aliases[from] != to)
            {
                mistakes.Add(alias.Path, $"gives '{from}' a different scope than another alias does. Remove one of them.");
            }
        }

        return aliases.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static void CheckTenants(IConfigurationSection section, ProviderSettings settings, ConfigurationMistakes mistakes)
    {
        foreach (var tenant in settings.AllowedTenants.Where(t => t != IssuerRule.AnyTenant && !IssuerRule.IsTenantId(t)))
        {
            mistakes.Add(section, "AllowedTenants", $"'{tenant}' is not a tenant's id. Write the id, or * for any.");
        }

        if (settings.AllowedTenants.Count > 0)
        {
            return;
        }

        // These cases are known now: Entra's documented addresses and configured issuers. A discovered issuer is checked once it is read.
        var isShared =
            settings.Type == ProviderType.Entra
            && settings.MetadataAddress is { } address
            && address.Segments.Any(s => EntraPlaces.Contains(s.TrimEnd('/'), StringComparer.OrdinalIgnoreCase));
        if (isShared || settings.Issuers.Any(IssuerRule.IsTemplate))
        {
            mistakes.Add(
                section,
                "AllowedTenants",
                "is missing: the issuer issues tokens for many tenants, and without a list tokens of any "
                    + "tenant would be accepted. Write the tenants' ids, or * for any."
            );
        }
    }

    /// <summary>Reads keys as <c>dotnet user-jwts</c> writes them: <c>{ Id, Issuer, Value (base64), Length }</c>.</summary>
    private static void ReadSigningKeys(IConfigurationSection section, List<VerificationKey> secrets, ConfigurationMistakes mistakes)
    {
        foreach (var key in section.GetChildren())
        {
            var bytes = new byte[(key["Value"]?.Length ?? 0) + 3];
            if (key["Value"] is not { } value || !Convert.TryFromBase64String(value, bytes, out var length))
            {
                mistakes.Add(key, "Value", "is not base64. Encode the key's bytes as base64.");
                continue;
            }

            AddSecret(secrets, key.Path + ":Value", bytes.AsSpan(0, length), kid: null, key["Issuer"], mistakes);
        }
    }

    private static IEnumerable<string> Values(IConfigurationSection section, params string[] keys) =>
        keys.SelectMany(key =>
                section.GetSection(key) is { Value: { } single }
                    ? [single]
                    : section.GetSection(key).GetChildren().Select(c => c.Value ?? "")
            )
            .Where(v => v.Length > 0)
            .Distinct(StringComparer.Ordinal);
}
