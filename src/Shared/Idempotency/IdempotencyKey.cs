using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Idempotency;

/// <summary>
/// The request header <c>Idempotency-Key</c> (draft-ietf-httpapi-idempotency-key-header). Its value is a structured-field string or bare
/// text.
/// </summary>
public static class IdempotencyKey
{
    /// <summary>The header's name.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>Longest key in characters, without quotes.</summary>
    public const int MaxLength = 255;

    /// <summary>Returns the key without quotes. Null if the header is missing, repeated or malformed.</summary>
    public static string? Of(HttpRequest request) => request.Headers[Header] is [{ } value] ? Parse(value) : null;

    /// <summary>Whether the request has the header, well-formed or not.</summary>
    public static bool IsPresent(HttpRequest request) => request.Headers[Header].Count > 0;

    /// <summary>Whether the text, without quotes, can be a key: 1 to <see cref="MaxLength"/> printable ASCII characters.</summary>
    public static bool IsKey([NotNullWhen(true)] string? key) =>
        key is { Length: > 0 and <= MaxLength } && !key.AsSpan().ContainsAnyExceptInRange(' ', '~');

    internal static string? Parse(string value)
    {
        value = value.Trim(' ', '\t');
        var key =
            value.StartsWith('"') ? Unquoted(value)
            : value.Contains('"', StringComparison.Ordinal) ? null
            : value;
        return IsKey(key) ? key : null;
    }

    /// <summary>Returns the scope of the caller's keys: the tenant's in live or test mode, or the user's within its tenant.</summary>
    internal static string ScopeOf(Caller caller, IdempotencyScope scope) =>
        scope == IdempotencyScope.Tenant && caller.Tenant is { } tenant
            ? Scope("tenant", tenant, caller.IsSandbox ? "test" : "live")
            : Scope("caller", caller.Tenant ?? "", caller.Subject);

    /// <summary>Joins names so that no two different lists give the same scope.</summary>
    internal static string Scope(params ReadOnlySpan<string> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            text.Append(part.Length).Append(':').Append(part);
        }

        return text.ToString();
    }

    /// <summary>
    /// Returns the name under which a scoped key is stored. It has a fixed length and reveals nothing to a reader of the store's keys.
    /// </summary>
    internal static string Hash(string scope, string key) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Scope(scope, key))));

    // RFC 8941 section 4.2.5.
    private static string? Unquoted(string value)
    {
        var key = new StringBuilder(value.Length);
        for (var i = 1; i < value.Length; i++)
        {
            switch (value[i])
            {
                case '"':
                    return i == value.Length - 1 ? key.ToString() : null;
                case '\\' when i + 1 < value.Length && value[i + 1] is '"' or '\\':
                    key.Append(value[++i]);
                    break;
                case '\\':
                    return null;
                default:
                    key.Append(value[i]);
                    break;
            }
        }

        return null;
    }
}
