namespace Bff.Dev.IdentityProvider;

public enum AccessTokenType
{
    Jwt,
    Opaque,
}

/// <summary>One registered client; its key in <see cref="IdentityProviderOptions.Clients"/> is its client id.</summary>
public sealed class DevelopmentClient
{
    /// <summary>The client secret; null for a public client.</summary>
    public string? Secret { get; set; }

    public List<string> GrantTypes { get; init; } = [];

    /// <summary>Compared exactly, except that a loopback address matches on any port (RFC 8252, section 7.3).</summary>
    public List<string> RedirectUris { get; init; } = [];

    public List<string> PostLogoutRedirectUris { get; init; } = [];

    public Uri? BackchannelLogoutUri { get; set; }

    public List<string> Scopes { get; init; } = [];

    /// <summary>The <c>tid</c> of the client's own tokens.</summary>
    public string? TenantId { get; set; }

    public string Audience { get; set; } = "bff";

    /// <summary>
    /// Whether the client may request tokens for another audience (parameter <c>audience</c>), as a gateway does for services that check
    /// tokens.
    /// </summary>
    public bool MayChooseAudience { get; set; }

    public AccessTokenType AccessTokenType { get; set; }

    public TimeSpan AccessTokenLifetime { get; set; } = TimeSpan.FromMinutes(10);

    public TimeSpan IdTokenLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Counted from the sign-in; rotation does not extend it.</summary>
    public TimeSpan RefreshTokenLifetime { get; set; } = TimeSpan.FromHours(8);

    /// <summary><c>RS256</c> or <c>ES256</c>.</summary>
    public string SigningAlgorithm { get; set; } = SigningKey.Rs256;
}

internal static class DefaultClients
{
    private static readonly string[] UserScopes = ["openid", "profile", "email", "api", "offline_access"];

    public static Dictionary<string, DevelopmentClient> Create() =>
        new(StringComparer.Ordinal)
        {
            ["web-bff"] = new()
            {
                Secret = "web-bff-development-secret",
                GrantTypes = { GrantType.Code, GrantType.Refresh },
                RedirectUris = { "http://localhost:8082/bff/callback", "http://127.0.0.1:8082/bff/callback" },
                PostLogoutRedirectUris = { "http://localhost:8082/", "http://127.0.0.1:8082/" },
                BackchannelLogoutUri = new Uri("http://127.0.0.1:8082/bff/backchannel-logout"),
                Scopes = [.. UserScopes],
            },
            ["partner-portal"] = new()
            {
                Secret = "partner-portal-development-secret",
                GrantTypes = { GrantType.Code, GrantType.Refresh },
                RedirectUris = { "http://localhost:8083/portal/callback", "http://127.0.0.1:8083/portal/callback" },
                PostLogoutRedirectUris =
                {
                    "http://localhost:8083/",
                    "http://127.0.0.1:8083/",
                    "http://localhost:8083/portal",
                    "http://127.0.0.1:8083/portal",
                },
                Scopes = [.. UserScopes],
            },
            ["mobile-app"] = new()
            {
                GrantTypes = { GrantType.Code, GrantType.Refresh },
                RedirectUris = { "com.example.bff:/callback", "http://127.0.0.1/callback", "http://localhost/callback" },
                PostLogoutRedirectUris = { "com.example.bff:/signed-out", "http://127.0.0.1/", "http://localhost/" },
                Scopes = [.. UserScopes],
            },
            ["partner-acme"] = new()
            {
                Secret = "partner-acme-development-secret",
                GrantTypes = { GrantType.ClientCredentials },
                TenantId = "acme",
                Scopes =
                {
                    "orders.read",
                    "orders.write",
                    "products.read",
                    "inventory.read",
                    "account.read",
                    "usage.read",
                    "keys.manage",
                    "webhooks.manage",
                    "events.read",
                },
            },
            ["gateway"] = new()
            {
                Secret = "gateway-development-secret",
                GrantTypes = { GrantType.ClientCredentials, GrantType.Exchange },
                MayChooseAudience = true,
            },
            ["internal-service"] = new()
            {
                Secret = "internal-service-development-secret",
                GrantTypes = { GrantType.ClientCredentials },
                Scopes = { "events.publish", "tokens.revoke", "cache.invalidate", "tenants.manage", "audit.read" },
            },
        };
}
