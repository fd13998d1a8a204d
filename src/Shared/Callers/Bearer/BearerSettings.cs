using System.Text;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Callers;

/// <summary>
/// Which access tokens are accepted: <c>Authentication:Schemes:Bearer</c> with the keys that the framework documents (so that Entra ID, Keycloak,
/// Auth0 and <c>dotnet user-jwts</c> all work), and <c>Authentication</c> for what the framework does not have.
/// </summary>
[Settings("Authentication", AtStart = true)]
internal sealed record BearerSettings
{
    internal const string HttpAddress = "an absolute https address; http where `RequireHttpsMetadata` is off";
    private const int MinSecretBytes = 32; // RFC 7518 section 3.2: at least the size of the hash.

    /// <summary>The issuer's address; discovery is below it.</summary>
    [Setting(Key = "Schemes:Bearer:Authority", Range = HttpAddress, Default = "none; required unless keys come another way")]
    public string? Authority { get; init; }

    /// <summary>The discovery document, when it is not below the authority.</summary>
    [Setting(Key = "Schemes:Bearer:MetadataAddress", Range = HttpAddress, Default = "below `Authority`")]
    public Uri? MetadataAddress { get; init; }

    /// <summary>Whether discovery and keys must travel over TLS; <c>false</c> in development only.</summary>
    [Setting(Key = "Schemes:Bearer:RequireHttpsMetadata")]
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>How long the authority may take to answer.</summary>
    [Setting(Key = "Schemes:Bearer:BackchannelTimeout", Min = "00:00:00.100", Max = "00:01:00")]
    public TimeSpan BackchannelTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A token must be for one of these; <c>ValidAudience</c> and <c>Audience</c> are read too.</summary>
    [Setting(Key = "Schemes:Bearer:ValidAudiences:<n>", Range = "any text", Default = "none; required")]
    public required IReadOnlyList<string> Audiences { get; init; }

    /// <summary>Accepted beside the issuer that the discovery document names; <c>ValidIssuer</c> is read too.</summary>
    [Setting(Key = "Schemes:Bearer:ValidIssuers:<n>", Range = "any text", Default = "the discovery document's")]
    public required IReadOnlyList<string> Issuers { get; init; }

    /// <summary>Symmetric keys from the configuration; without one HS256 is not accepted.</summary>
    [Setting(Key = "Schemes:Bearer:SigningKeys:<n>:Value", Range = "base64 of at least 32 bytes", Default = "none", Meaning = "As `dotnet user-jwts` writes them, with `Issuer`, `Id`, `Length`.")]
    [Setting(Key = "SharedSecrets:<n>", Range = "text of at least 32 bytes, or `base64:...`", Default = "none", Meaning = "A key for HS256; `{Value,Issuer,Id}` names its issuer and id. Without one HS256 is refused.")]
    public required IReadOnlyList<VerificationKey> Secrets { get; init; }

    /// <summary>How often the authority's keys are read again; a withdrawn key is accepted no longer than this and one fetch.</summary>
    [Setting(Min = "00:00:01", Max = "1.00:00:00")]
    public TimeSpan KeyRefresh { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Null: opaque tokens are not accepted.</summary>
    public IntrospectionSettings? Introspection { get; init; }

    /// <summary>Reads and checks everything; mistakes stop the host.</summary>
    public static BearerSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var authentication = configuration.GetSection("Authentication");
        var bearer = authentication.GetSection("Schemes:Bearer");
        var read = mistakes.Bind(authentication, new BearerSettings { Audiences = [], Issuers = [], Secrets = [] });
        var secrets = new List<VerificationKey>();
        ReadSigningKeys(bearer.GetSection("SigningKeys"), secrets, mistakes);
        ReadSharedSecrets(authentication.GetSection("SharedSecrets"), secrets, mistakes);
        var settings = read with
        {
            Authority = bearer["Authority"],
            MetadataAddress = Metadata(bearer, read.RequireHttpsMetadata, mistakes),
            Audiences = [.. Values(bearer, "Audience", "ValidAudience", "ValidAudiences")],
            Issuers = [.. Values(bearer, "ValidIssuer", "ValidIssuers").Concat(secrets.Select(s => s.Issuer).OfType<string>()).Distinct()],
            Secrets = secrets,
            Introspection = IntrospectionSettings.Parse(authentication.GetSection("Introspection"), read.RequireHttpsMetadata, mistakes),
        };
        settings.Check(bearer, mistakes);
        return settings;
    }

    private void Check(IConfigurationSection bearer, ConfigurationMistakes mistakes)
    {
        if (MetadataAddress is null && Secrets.Count == 0)
        {
            if (Introspection is null && bearer["Authority"] is not { Length: > 0 } && bearer["MetadataAddress"] is not { Length: > 0 })
            {
                mistakes.Add(bearer, "Authority", "is missing: without it (or MetadataAddress, SigningKeys, Authentication:SharedSecrets, Authentication:Introspection) no token could be verified. Set it to the issuer's address.");
            }

            if (Introspection is { AllowedClients.Count: 0 })
            {
                NeedAudiences();
            }

            return;
        }

        NeedAudiences();

        if (MetadataAddress is null && Issuers.Count == 0)
        {
            mistakes.Add(bearer, "ValidIssuer", "is missing: configured keys do not say who issues with them. Name the issuer.");
        }

        void NeedAudiences()
        {
            if (Audiences.Count == 0)
            {
                mistakes.Add(bearer, "ValidAudiences", "is missing: without it tokens for other services would be accepted. Name this gateway's audience.");
            }
        }
    }

    private static Uri? Metadata(IConfigurationSection bearer, bool requireHttps, ConfigurationMistakes mistakes)
    {
        var (key, text) = bearer["MetadataAddress"] is { Length: > 0 } address
            ? ("MetadataAddress", address)
            : ("Authority", bearer["Authority"] is { Length: > 0 } authority ? authority.TrimEnd('/') + "/.well-known/openid-configuration" : null);
        if (text is null)
        {
            return null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp))
        {
            mistakes.Add(bearer, key, "is not an absolute http(s) address.");
            return null;
        }

        if (requireHttps && uri.Scheme != Uri.UriSchemeHttps)
        {
            mistakes.Add(bearer, key, "is not https: anyone on the way could replace the keys. Use https, or RequireHttpsMetadata=false in development.");
        }

        return uri;
    }

    /// <summary>What <c>dotnet user-jwts</c> writes: <c>{ Id, Issuer, Value (base64), Length }</c>.</summary>
    private static void ReadSigningKeys(IConfigurationSection section, List<VerificationKey> secrets, ConfigurationMistakes mistakes)
    {
        foreach (var key in section.GetChildren())
        {
            var bytes = new byte[(key["Value"]?.Length ?? 0) + 3];
            if (key["Value"] is not { } value || !Convert.TryFromBase64String(value, bytes, out var length))
            {
                mistakes.Add(key, "Value", "is not base64.");
                continue;
            }

            Add(secrets, key.Path + ":Value", bytes.AsSpan(0, length), kid: null, key["Issuer"], mistakes);
        }
    }

    /// <summary>Each is a secret as text, or <c>{ Value, Issuer, Id }</c>; text after <c>base64:</c> is decoded, other text is taken as its UTF-8 bytes.</summary>
    private static void ReadSharedSecrets(IConfigurationSection section, List<VerificationKey> secrets, ConfigurationMistakes mistakes)
    {
        IEnumerable<IConfigurationSection> entries = section.Value is null ? section.GetChildren() : [section];
        foreach (var entry in entries)
        {
            var path = entry.Value is null ? entry.Path + ":Value" : entry.Path;
            var text = entry.Value ?? entry["Value"] ?? "";
            const string Marker = "base64:";
            byte[] bytes;
            try
            {
                bytes = text.StartsWith(Marker, StringComparison.Ordinal) ? Convert.FromBase64String(text[Marker.Length..]) : Encoding.UTF8.GetBytes(text);
            }
            catch (FormatException)
            {
                mistakes.Add(path, "is not base64.");
                continue;
            }

            Add(secrets, path, bytes, entry["Id"], entry["Issuer"], mistakes);
        }
    }

    private static void Add(List<VerificationKey> secrets, string path, ReadOnlySpan<byte> bytes, string? kid, string? issuer, ConfigurationMistakes mistakes)
    {
        if (bytes.Length < MinSecretBytes)
        {
            mistakes.Add(path, $"is shorter than {MinSecretBytes} bytes: it could be guessed. Generate a random one.");
            return;
        }

        secrets.Add(VerificationKey.Secret(bytes.ToArray(), kid, issuer));
    }

    private static IEnumerable<string> Values(IConfigurationSection section, params string[] keys) =>
        keys.SelectMany(key => section.GetSection(key) is { Value: { } single } ? [single] : section.GetSection(key).GetChildren().Select(c => c.Value ?? ""))
            .Where(v => v.Length > 0)
            .Distinct(StringComparer.Ordinal);
}
