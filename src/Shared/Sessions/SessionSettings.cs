using System.Collections.Frozen;
using Bff.Callers.Clients;
using Bff.Callers.Providers;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Sessions;

/// <summary>The answer of <c>user</c> to a visitor without a session.</summary>
internal enum AnonymousUser
{
    /// <summary>401, as for all other endpoints.</summary>
    Unauthorized,

    /// <summary>200 with the body <c>null</c>.</summary>
    Null,
}

/// <summary>Section <c>Session</c>: the provider at which browsers sign in, and how long their sessions live.</summary>
[Settings("Session")]
internal sealed record SessionSettings
{
    /// <summary>Issuer address of the identity provider. Its discovery document is below this address.</summary>
    [Setting(Range = ProviderSettings.HttpAddress, Default = "none; required unless `Provider` has one")]
    public string Authority { get; init; } = "";

    /// <summary>This host's client id at the provider.</summary>
    [Setting(Range = "text that is not empty", Default = "none; required")]
    public string ClientId { get; init; } = "";

    /// <summary>This host's client secret at the provider.</summary>
    [Setting(Range = "text that is not empty", Default = "none; required unless `ClientAuthentication` is `PrivateKeyJwt`")]
    public string ClientSecret { get; init; } = "";

    /// <summary>How this host authenticates to the provider.</summary>
    [Setting]
    public ClientAuthentication ClientAuthentication { get; init; }

    /// <summary>File of the private key that signs this host's assertions for `PrivateKeyJwt`.</summary>
    [Setting(Key = "PrivateKey:Path", Range = "a readable private key, PEM", Default = "none; required for `PrivateKeyJwt`")]
    public ClientKey? PrivateKey { get; init; }

    /// <summary>Scopes that the sign-in requests from the provider.</summary>
    [Setting(Range = "names separated by spaces, including `openid`")]
    public string Scopes { get; init; } = "openid profile email api offline_access";

    /// <summary>Whether the authority must use https. Set <c>false</c> in development only.</summary>
    [Setting]
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>A session ends after this long without a request.</summary>
    [Setting(Min = "00:00:01", Max = "30.00:00:00")]
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>A session ends this long after its sign-in, even if it is in use.</summary>
    [Setting(Min = "00:00:01", Max = "90.00:00:00")]
    public TimeSpan AbsoluteTimeout { get; init; } = TimeSpan.FromHours(8);

    /// <summary>An access token is refreshed this long before it expires, but not in the first half of its lifetime.</summary>
    [Setting(Min = "00:00:00", Max = "01:00:00")]
    public TimeSpan RefreshBefore { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Answer of the user resource to a visitor without a session: 401, or 200 with `null`, which logs no error in the browser's console.
    /// </summary>
    [Setting]
    public AnonymousUser AnonymousUser { get; init; }

    /// <summary>
    /// Provider under `Authentication:Providers` whose type, claims, scope aliases and tenants also hold for sessions. `Bearer` names
    /// `Authentication:Schemes:Bearer`.
    /// </summary>
    [Setting(Range = "the name of a provider", Default = "none")]
    public string? Provider { get; init; }

    /// <summary>
    /// Additional parameter of the provider's authorization request, such as `audience` (Auth0), `resource` or `domain_hint`.
    /// </summary>
    [Setting(
        Key = "AuthorizeParameters:<name>",
        Range = "any text; the name is not of a parameter that the sign-in itself sends",
        Default = "none"
    )]
    public IReadOnlyDictionary<string, string> AuthorizeParameters { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Query parameters of the sign-in's address that are passed on to the provider.</summary>
    [Setting(
        Key = "LoginParameters:<n>",
        OrOne = true,
        Range = "`login_hint`, `prompt`, `ui_locales`, `acr_values` or `max_age`",
        Default = "none"
    )]
    public IReadOnlyList<string> LoginParameters { get; init; } = [];

    /// <summary>
    /// Whether the sign-in sends its parameters to the provider directly (pushed authorization request, RFC 9126), so that no browser sees
    /// them: if the provider offers it, always, or never.
    /// </summary>
    [Setting]
    public PushedAuthorization PushedAuthorization { get; init; }

    /// <summary>
    /// Whether the sign-in reads the provider's user info: if the id_token lacks a name or an e-mail address, always, or never.
    /// </summary>
    [Setting]
    public UserInfoUse UserInfo { get; init; }

    /// <summary>
    /// Whether the sign-out sends the id_token to the provider. Some providers ask the user for confirmation without it. The browser sees
    /// the token.
    /// </summary>
    [Setting]
    public bool IdTokenHint { get; init; }

    /// <summary>Origins to which `returnUrl` may lead. Each must also be in `Cors:Origins`.</summary>
    [Setting(Key = "ReturnOrigins:<n>", OrOne = true, Range = "an origin of `Cors:Origins`", Default = "none: only paths of this host")]
    public IReadOnlyList<string> ReturnOrigins { get; init; } = [];

    /// <summary>
    /// Page to which a browser returns after a sign-out, or after a sign-in without `returnUrl`. The page must exist.
    /// </summary>
    [Setting(Range = "a path of this host, or an address below one of `ReturnOrigins`", Default = "the first of `ReturnOrigins`, else `/`")]
    public string? Home { get; init; }

    /// <summary>The claims to read for each property of a user.</summary>
    public ClaimMap Claims => OfProvider?.Claims ?? ClaimMap.Default;

    /// <summary>The settings of the provider that <see cref="Provider"/> names.</summary>
    public ProviderSettings? OfProvider { get; init; }

    public static SessionSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var section = configuration.GetSection("Session");
        var read = mistakes.Bind(section, new SessionSettings());
        var provider = ReadProvider(configuration, section, mistakes);
        var origins = SignInParser.ReturnOrigins(configuration, section.GetSection("ReturnOrigins"), mistakes);
        var https =
            provider is null || section["RequireHttpsMetadata"] is not null ? read.RequireHttpsMetadata : provider.RequireHttpsMetadata;
        return read with
        {
            Authority = ReadAuthority(section, provider, https, mistakes),
            ClientId = Required(section, "ClientId", "Set it to this host's client id at the provider.", mistakes),
            ClientSecret =
                read.ClientAuthentication == ClientAuthentication.PrivateKeyJwt
                    ? section["ClientSecret"] ?? ""
                    : Required(
                        section,
                        "ClientSecret",
                        "Set it to this host's client secret at the provider. Keep the secret out of files.",
                        mistakes
                    ),
            PrivateKey = SignInParser.PrivateKey(section, read.ClientAuthentication, mistakes),
            AuthorizeParameters = SignInParser.AuthorizeParameters(section.GetSection("AuthorizeParameters"), mistakes),
            LoginParameters = SignInParser.LoginParameters(section.GetSection("LoginParameters"), mistakes),
            ReturnOrigins = origins,
            Home = SignInParser.Home(section, origins, mistakes),
            Scopes = ReadScopes(section, read.Scopes, mistakes),
            RequireHttpsMetadata = https,
            Provider = section["Provider"],
            OfProvider = provider,
        };
    }

    private static ProviderSettings? ReadProvider(
        IConfiguration configuration,
        IConfigurationSection section,
        ConfigurationMistakes mistakes
    )
    {
        if (section["Provider"] is not { Length: > 0 } name)
        {
            return null;
        }

        var isScheme = name.Equals("Bearer", StringComparison.OrdinalIgnoreCase);
        var at = isScheme
            ? configuration.GetSection("Authentication:Schemes:Bearer")
            : configuration.GetSection("Authentication:Providers").GetSection(name);
        if (at.Exists())
        {
            // The parser for access tokens reports the mistakes of this section.
            return ProviderParser.Parse(at, isScheme, new ConfigurationMistakes());
        }

        mistakes.Add(section, "Provider", $"'{name}' is not the name of a provider. Use a name under Authentication:Providers, or Bearer.");
        return null;
    }

    private static string ReadAuthority(
        IConfigurationSection section,
        ProviderSettings? provider,
        bool https,
        ConfigurationMistakes mistakes
    )
    {
        var text =
            string.IsNullOrEmpty(section["Authority"]) && provider?.Authority is { Length: > 0 } inherited
                ? inherited.TrimEnd('/')
                : Required(section, "Authority", "Set it to the issuer's address, where browsers sign in.", mistakes).TrimEnd('/');
        if (text.Length > 0 && (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http")))
        {
            mistakes.Add(section, "Authority", "is not an address. Write the issuer, such as https://login.example.com.");
        }
        else if (https && text.StartsWith("http:", StringComparison.OrdinalIgnoreCase))
        {
            mistakes.Add(section, "Authority", "is not https. Use https, or set Session:RequireHttpsMetadata to false in development.");
        }

        return text;
    }

    private static string ReadScopes(IConfigurationSection section, string fallback, ConfigurationMistakes mistakes)
    {
        var listed = section.GetSection("Scopes").GetChildren().Select(c => c.Value).OfType<string>().ToList();
        var scopes = listed.Count > 0 ? string.Join(' ', listed) : section["Scopes"] ?? fallback;
        if (!scopes.Split(' ').Contains("openid"))
        {
            mistakes.Add(section, "Scopes", "lacks openid, without which the provider returns no id_token. Add openid.");
        }

        return scopes;
    }

    private static string Required(IConfigurationSection section, string key, string why, ConfigurationMistakes mistakes)
    {
        if (string.IsNullOrWhiteSpace(section[key]))
        {
            mistakes.Add(section, key, "is missing. " + why);
        }

        return section[key] ?? "";
    }
}
