using System.Collections.Frozen;
using System.Text.Json;
using Bff.Callers.Providers;
using Bff.Requests;

namespace Bff.Callers.Bearer;

/// <summary>What a set of claims describes. This decides whether the claims may be an application's.</summary>
internal enum TokenUse
{
    /// <summary>An access token, or the introspection response for one.</summary>
    Access,

    /// <summary>An id_token, which is always a user's.</summary>
    SignIn,
}

/// <summary>
/// Reads the claims of a JWT or of an introspection response into a <see cref="Caller"/>. A claim of the wrong type refuses the token,
/// because ignoring it could mean another tenant.
/// </summary>
internal static class TokenClaims
{
    /// <summary>How far the clocks of this gateway and of a token's issuer may differ (RFC 7519 section 4.1.4).</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private const double MaxNumericDate = 253_402_300_799; // 9999-12-31T23:59:59Z

    /// <summary>Returns the caller; null when a claim is malformed, or when the claims name neither a user nor an application.</summary>
    public static Caller? Read(JsonElement claims, ClaimMap map, TokenUse use)
    {
        try
        {
            return Map(claims, map, use);
        }
        catch (Exception malformed) when (malformed is FormatException or InvalidOperationException)
        {
            return null; // InvalidOperationException means a string with half a surrogate pair.
        }
    }

    /// <summary>Returns the user; null when the claim is absent or malformed.</summary>
    public static string? SubjectOf(JsonElement claims, ClaimMap map)
    {
        try
        {
            return TryReadSubject(claims, map.Subject, out var subject) ? subject : null;
        }
        catch (Exception malformed) when (malformed is FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Returns the tenant by which the provider is chosen; null when the claim is absent or malformed.</summary>
    public static string? TenantOf(JsonElement claims, ClaimMap map)
    {
        try
        {
            return First(claims, map.Tenant);
        }
        catch (Exception malformed) when (malformed is FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>
    /// Reads a NumericDate (RFC 7519 section 2). Returns false when the claim is present but malformed. The date is null when the claim is
    /// absent.
    /// </summary>
    public static bool TryReadDate(JsonElement claims, string name, out DateTimeOffset? date)
    {
        date = null;
        if (!claims.TryGetProperty(name, out var value))
        {
            return true;
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || !(seconds >= 0 && seconds <= MaxNumericDate))
        {
            return false;
        }

        date = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }

    private static Caller? Map(JsonElement claims, ClaimMap map, TokenUse use)
    {
        if (
            !TryReadDate(claims, "iat", out var issuedAt)
            || !TryReadDate(claims, "exp", out var expiresAt)
            || !TryReadSubject(claims, map.Subject, out var subject)
        )
        {
            return null;
        }

        var client = First(claims, map.Client);
        var isApplication = use == TokenUse.Access && IsApplication(claims, map.Type, subject, client);
        if (isApplication ? client is null : subject is null || subject.StartsWith(Caller.ApplicationPrefix, StringComparison.Ordinal))
        {
            return null; // The claims name neither a user nor an application, or a user whose id looks like an application's.
        }

        string[] roles = [.. map.Roles.SelectMany(path => List(claims, path, ',')).Distinct(StringComparer.Ordinal)];
        var scopes = map.Scopes.SelectMany(path => List(claims, path, ' ')).Select(map.Scope);
        return new Caller
        {
            Subject = isApplication ? Caller.ApplicationPrefix + client : subject!,
            IsApplication = isApplication,
            Kind = CallerKind.Token,
            Tenant = First(claims, map.Tenant),
            Client = client,
            Email = First(claims, map.Email),
            Name = First(claims, map.Name),
            Roles = roles,
            Scopes = (
                isApplication && map.RolesAsScopes
                    ? scopes.Concat(roles.Select(map.Scope).Where(r => !r.Contains(' ', StringComparison.Ordinal)))
                    : scopes
            ).ToFrozenSet(StringComparer.Ordinal),
            TokenId = First(claims, ["jti"]),
            IssuedAt = issuedAt,
            ExpiresAt = expiresAt,
        };
    }

    /// <summary>
    /// Whether a token belongs to the client itself (RFC 6749 section 4.4), which has no subject. Further signs are taken from each
    /// provider's documentation and are not guessed for a generic provider. Entra gives scopes only to users' tokens. Auth0 writes
    /// <c>client@clients</c>. Others name the client as the subject (RFC 9068 section 2.2).
    /// </summary>
    private static bool IsApplication(JsonElement claims, ProviderType type, string? subject, string? client) =>
        subject is null
        || (type != ProviderType.Generic && subject == client)
        || (
            type switch
            {
                ProviderType.Entra => claims.TryGetProperty("idtyp", out var kind) && kind.ValueKind == JsonValueKind.String
                    ? kind.ValueEquals("app"u8)
                    : !claims.TryGetProperty("scp", out _),
                ProviderType.Auth0 => client is not null
                    && subject.Length == client.Length + "@clients".Length
                    && subject.StartsWith(client, StringComparison.Ordinal)
                    && subject.EndsWith("@clients", StringComparison.Ordinal),
                _ => false,
            }
        );

    /// <summary>Reads the subject. Returns false when the claim is present but blank; a blank subject is not a missing one.</summary>
    private static bool TryReadSubject(JsonElement claims, string[] paths, out string? subject)
    {
        subject = null;
        foreach (var path in paths)
        {
            if (claims.TryGetProperty(path, out var value) || ClaimPath.TryFind(claims, path, out value))
            {
                subject = Checked(value);
                return !string.IsNullOrWhiteSpace(subject);
            }
        }

        return true;
    }

    private static string? First(JsonElement claims, string[] paths)
    {
        foreach (var path in paths)
        {
            if (ClaimPath.TryFind(claims, path, out var value) && Checked(value) is { Length: > 0 } text)
            {
                return text;
            }
        }

        return null;
    }

    /// <summary>Reads an array of strings as items. A string is one item if the separator is a comma (a role), else it is split.</summary>
    private static List<string> List(JsonElement claims, string path, char separator)
    {
        var items = new List<string>();
        if (!ClaimPath.TryFind(claims, path, out var value))
        {
            return items;
        }

        if (value.ValueKind == JsonValueKind.Array)
        {
            items.AddRange(value.EnumerateArray().Select(Checked));
        }
        else if (separator == ' ')
        {
            items.AddRange(Checked(value).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }
        else
        {
            items.Add(Checked(value));
        }

        // A scope with a space would read as several scopes in a header. A role's comma is encoded there.
        items.RemoveAll(item => item.Length == 0 || (separator == ' ' && item.Contains(' ')));
        return items;
    }

    private static string Checked(JsonElement value)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException();
        foreach (var character in text)
        {
            if (char.IsControl(character))
            {
                throw new FormatException();
            }
        }

        return text;
    }
}
