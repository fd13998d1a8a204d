using System.Security.Cryptography;

namespace Bff.Dev.IdentityProvider;

internal static class GrantType
{
    public const string Code = "authorization_code";
    public const string Refresh = "refresh_token";
    public const string ClientCredentials = "client_credentials";
    public const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
}

internal static class Handle
{
    /// <summary>Creates a handle with 256 random bits.</summary>
    public static string Create(string prefix) => prefix + RandomNumberGenerator.GetHexString(64, lowercase: true);
}

/// <summary>The browser's session at the provider.</summary>
internal sealed class SsoSession
{
    private readonly HashSet<string> clients = new(StringComparer.Ordinal);

    public required string CookieValue { get; init; }
    public required string Sid { get; init; }
    public required DevelopmentUser User { get; init; }
    public required DateTimeOffset SignedInAt { get; init; }

    public void Joined(string clientId)
    {
        lock (clients)
            clients.Add(clientId);
    }

    public string[] Clients()
    {
        lock (clients)
            return [.. clients];
    }
}

/// <summary>What one sign-in granted to one client: the family of all its tokens.</summary>
internal sealed class Grant
{
    public required string ClientId { get; init; }
    public required DevelopmentUser User { get; init; }
    public required string[] Scopes { get; init; }
    public required string Sid { get; init; }
    public required DateTimeOffset SignedInAt { get; init; }
    public required DateTimeOffset Ends { get; init; }

    /// <summary>Number of the only refresh token that is still valid.</summary>
    public int Generation { get; set; }

    public bool Revoked { get; set; }

    public Lock Gate { get; } = new();
}

internal sealed class AuthorizationCode
{
    public required Grant Grant { get; init; }
    public required string RedirectUri { get; init; }
    public required string Challenge { get; init; }
    public required string? Nonce { get; init; }
    public bool Spent { get; set; }
}

internal sealed record RefreshToken(Grant Grant, int Generation);

/// <summary>Knows whether a token that is otherwise valid was revoked, itself or with its family.</summary>
internal sealed class IssuedToken(Grant? grant)
{
    private bool revoked;

    public bool Revoked => revoked || grant is { Revoked: true };

    public void Revoke() => revoked = true;
}
