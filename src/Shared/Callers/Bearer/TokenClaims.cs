using System.Collections.Frozen;
using System.Text.Json;

namespace Bff.Callers;

/// <summary>Reads claims, of a JWT or of an introspection answer, into a <see cref="Caller"/>. A claim of the wrong shape refuses the token: leaving it out could mean another tenant.</summary>
internal static class TokenClaims
{
    private const double MaxNumericDate = 253_402_300_799; // 9999-12-31T23:59:59Z

    /// <summary>Null when a claim that is read is malformed or <c>sub</c> is missing.</summary>
    public static Caller? Read(JsonElement claims)
    {
        try
        {
            return Map(claims);
        }
        catch (Exception malformed) when (malformed is FormatException or InvalidOperationException)
        {
            return null; // InvalidOperationException: a string with half a surrogate pair.
        }
    }

    /// <summary>A NumericDate (RFC 7519 section 2): false when present and not one; null when absent.</summary>
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

    private static Caller? Map(JsonElement claims)
    {
        if (Text(claims, "sub") is not { } subject || string.IsNullOrWhiteSpace(subject)
            || !TryReadDate(claims, "iat", out var issuedAt) || !TryReadDate(claims, "exp", out var expiresAt))
        {
            return null;
        }

        return new Caller
        {
            Subject = subject,
            Kind = CallerKind.Token,
            Tenant = Text(claims, "tid") ?? Text(claims, "tenant"),
            Client = Text(claims, "client_id") ?? Text(claims, "azp"),
            Email = Text(claims, "email"),
            Name = Text(claims, "name"),
            Roles = [.. List(claims, "roles", ',').Concat(List(claims, "role", ',')).Distinct(StringComparer.Ordinal)],
            Scopes = List(claims, "scope", ' ').Concat(List(claims, "scp", ' ')).ToFrozenSet(StringComparer.Ordinal),
            TokenId = Text(claims, "jti"),
            IssuedAt = issuedAt,
            ExpiresAt = expiresAt,
        };
    }

    private static string? Text(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var text = Checked(value);
        return text.Length == 0 ? null : text;
    }

    /// <summary>An array, each of its strings one item, or a string: one item where the separator is a comma (a role), else split.</summary>
    private static List<string> List(JsonElement claims, string name, char separator)
    {
        var items = new List<string>();
        if (!claims.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
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

        // A scope that holds a space would read as several once it is a header; a role's comma is encoded there.
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
