using System.Text;
using Bff.Callers.Keys;
using Bff.Callers.Providers;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Callers.Bearer;

/// <summary>
/// Which access tokens are accepted: those of the providers under <c>Authentication:Providers</c>. <c>Authentication:Schemes:Bearer</c> is
/// one more provider, read as the framework documents it so that <c>dotnet user-jwts</c> works too.
/// </summary>
[Settings("Authentication", AtStart = true)]
internal sealed record BearerSettings
{
    private const string ServerLimit = "Kestrel:Limits:MaxRequestHeadersTotalSize";

    /// <summary>The providers whose tokens are accepted, the scheme's first.</summary>
    public required IReadOnlyList<ProviderSettings> Providers { get; init; }

    /// <summary>Symmetric keys from the configuration, with which the scheme's tokens may be signed too.</summary>
    [Setting(
        Key = "SharedSecrets:<n>",
        OrOne = true,
        Also = "SharedSecrets:<n>:Value,SharedSecrets:<n>:Issuer,SharedSecrets:<n>:Id",
        Range = "text of at least 32 bytes, or `base64:...`",
        Default = "none",
        Meaning = "Symmetric key for HS256. `{Value,Issuer,Id}` also gives the key's issuer and id. Without such a key HS256 is refused."
    )]
    public required IReadOnlyList<VerificationKey> Secrets { get; init; }

    /// <summary>
    /// How often an authority's keys are read again. A withdrawn key is accepted for at most this long plus the time of one fetch.
    /// </summary>
    [Setting(Min = "00:00:01", Max = "1.00:00:00")]
    public TimeSpan KeyRefresh { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Settings of introspection; null when opaque tokens are not accepted.</summary>
    public IntrospectionSettings? Introspection { get; init; }

    /// <summary>Length of the longest token of any provider, in bytes.</summary>
    public int MaxTokenBytes => Providers.Select(p => p.MaxTokenBytes).DefaultIfEmpty(8192).Max();

    /// <summary>Reads and checks the settings. A mistake stops the host.</summary>
    public static BearerSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var authentication = configuration.GetSection("Authentication");
        var bearer = authentication.GetSection("Schemes:Bearer");
        var secrets = new List<VerificationKey>();
        ReadSharedSecrets(authentication.GetSection("SharedSecrets"), secrets, mistakes);
        var named = authentication
            .GetSection("Providers")
            .GetChildren()
            .Select(p => ProviderParser.Parse(p, isScheme: false, mistakes))
            .ToList();
        var scheme = ProviderParser.Parse(bearer, isScheme: true, mistakes);
        scheme = scheme with
        {
            Secrets = [.. scheme.Secrets, .. secrets],
            Issuers = [.. scheme.Issuers.Concat(secrets.Select(s => s.Issuer).OfType<string>()).Distinct()],
        };
        var introspection = IntrospectionSettings.Parse(authentication.GetSection("Introspection"), scheme.RequireHttpsMetadata, mistakes);
        foreach (var provider in named)
        {
            CheckNamed(configuration.GetSection(provider.Path), provider, introspection is not null, mistakes);
        }

        var isScheme = scheme.HasKeys || IsNamed(bearer) || named.Count == 0;
        if (isScheme)
        {
            CheckScheme(bearer, scheme, introspection, mistakes);
        }

        var settings = mistakes.Bind(
            authentication,
            new BearerSettings { Providers = isScheme ? [scheme, .. named] : named, Secrets = secrets }
        ) with
        {
            Introspection = introspection,
        };
        CheckIssuers(settings.Providers, mistakes);
        if (int.TryParse(configuration[ServerLimit], out var limit) && settings.MaxTokenBytes > 8192 && limit < settings.MaxTokenBytes)
        {
            mistakes.Add(ServerLimit, $"is less than a token's {settings.MaxTokenBytes} bytes (MaxTokenBytes). Remove it, or raise it.");
        }

        return settings;
    }

    private static void CheckScheme(
        IConfigurationSection bearer,
        ProviderSettings scheme,
        IntrospectionSettings? introspection,
        ConfigurationMistakes mistakes
    )
    {
        if (!scheme.HasKeys)
        {
            if (introspection is null && !IsNamed(bearer))
            {
                mistakes.Add(
                    bearer,
                    "Authority",
                    "is missing: without it (or MetadataAddress, SigningKeys, Authentication:Providers, Authentication:SharedSecrets, Authentication:Introspection) no token could be verified. Set it to the issuer's address."
                );
            }

            if (introspection is { AllowedClients.Count: 0 })
            {
                NeedAudiences(bearer, scheme, mistakes);
            }

            return;
        }

        NeedAudiences(bearer, scheme, mistakes);
        NeedIssuer(bearer, scheme, mistakes);
    }

    private static void CheckNamed(
        IConfigurationSection section,
        ProviderSettings provider,
        bool isIntrospected,
        ConfigurationMistakes mistakes
    )
    {
        if (!provider.HasKeys && !IsNamed(section))
        {
            if (!isIntrospected || provider.Issuers.Count == 0)
            {
                mistakes.Add(
                    section,
                    "Authority",
                    "is missing: without it (or MetadataAddress, SigningKeys) no token of the provider could be verified. Set it to the issuer's address."
                );
            }
        }

        NeedAudiences(section, provider, mistakes);
        NeedIssuer(section, provider, mistakes);
    }

    private static void NeedAudiences(IConfigurationSection section, ProviderSettings provider, ConfigurationMistakes mistakes)
    {
        if (provider.Audiences.Count == 0 && provider.AllowedClients.Count == 0)
        {
            mistakes.Add(
                section,
                "ValidAudiences",
                "is missing: without it tokens for other services would be accepted. Set it to this gateway's audience."
            );
        }
    }

    private static void NeedIssuer(IConfigurationSection section, ProviderSettings provider, ConfigurationMistakes mistakes)
    {
        if (provider is { MetadataAddress: null, Secrets.Count: > 0, Issuers.Count: 0 })
        {
            mistakes.Add(
                section,
                "ValidIssuer",
                "is missing: configured keys do not name their issuer. Set it to the issuer of the tokens."
            );
        }
    }

    /// <summary>
    /// Refuses two providers with the same issuer, because tokens are told apart by their issuer. Issuers from discovery documents are
    /// compared once the documents have been read.
    /// </summary>
    private static void CheckIssuers(IReadOnlyList<ProviderSettings> providers, ConfigurationMistakes mistakes)
    {
        for (var i = 1; i < providers.Count; i++)
        {
            var provider = providers[i];
            foreach (var earlier in providers.Take(i))
            {
                if (provider.MetadataAddress is { } address && address == earlier.MetadataAddress)
                {
                    mistakes.Add(
                        $"{provider.Path}:Authority",
                        $"is also the issuer of {earlier.Path}. Each issuer may have one provider only: remove one of them."
                    );
                }
                else if (RuleOf(provider).Overlap(RuleOf(earlier)) is { } shared)
                {
                    mistakes.Add(
                        $"{provider.Path}:ValidIssuers",
                        $"'{shared}' is also an issuer of {earlier.Path}. Each issuer may have one provider only: remove one of them."
                    );
                }
            }
        }

        static IssuerRule RuleOf(ProviderSettings provider) => new(provider.Issuers, provider.AllowedTenants);
    }

    private static bool IsNamed(IConfigurationSection section) =>
        section["Authority"] is { Length: > 0 } || section["MetadataAddress"] is { Length: > 0 };

    /// <summary>
    /// Reads each secret as text or as <c>{ Value, Issuer, Id }</c>. Text after <c>base64:</c> is decoded; other text is used as its UTF-8
    /// bytes.
    /// </summary>
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
                bytes = text.StartsWith(Marker, StringComparison.Ordinal)
                    ? Convert.FromBase64String(text[Marker.Length..])
                    : Encoding.UTF8.GetBytes(text);
            }
            catch (FormatException)
            {
                mistakes.Add(path, "is not base64. Encode the key's bytes as base64 after base64:, or write the key as plain text.");
                continue;
            }

            ProviderParser.AddSecret(secrets, path, bytes, entry["Id"], entry["Issuer"], mistakes);
        }
    }
}
