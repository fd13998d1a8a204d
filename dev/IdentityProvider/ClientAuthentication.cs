using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Bff.Dev.IdentityProvider;

internal sealed record AuthenticatedClient(string Id, DevelopmentClient Settings)
{
    public bool IsPublic => Settings.Secret is null;
}

/// <summary><c>client_secret_basic</c>, <c>client_secret_post</c> and, for public clients, <c>none</c> (RFC 6749, section 2.3).</summary>
internal static class ClientAuthentication
{
    public static AuthenticatedClient? Authenticate(HttpContext context, Parameters form, IdentityProviderOptions options)
    {
        var header = context.Request.Headers.Authorization.ToString();
        var (id, secret) = (form["client_id"], form["client_secret"]);
        if (header.Length > 0)
        {
            if (secret is not null || Basic(header) is not { } basic)
                return null;
            if (id is not null && id != basic.Id)
                return null;
            (id, secret) = basic;
        }

        if (id is null || !options.Clients.TryGetValue(id, out var client))
            return null;
        return Same(client.Secret, secret) ? new AuthenticatedClient(id, client) : null;
    }

    private static (string Id, string Secret)? Basic(string header)
    {
        if (!AuthenticationHeaderValue.TryParse(header, out var value) || value.Parameter is null)
            return null;
        if (!string.Equals(value.Scheme, "Basic", StringComparison.OrdinalIgnoreCase))
            return null;
        var bytes = new byte[value.Parameter.Length];
        if (!Convert.TryFromBase64String(value.Parameter, bytes, out var length))
            return null;
        return Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is [var id, var secret] ? (Decode(id), Decode(secret)) : null;
    }

    private static string Decode(string part) => Uri.UnescapeDataString(part.Replace('+', ' '));

    private static bool Same(string? known, string? given)
    {
        if (known is null || given is null)
            return known is null && given is null;
        return CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(known)),
            SHA256.HashData(Encoding.UTF8.GetBytes(given))
        );
    }
}
