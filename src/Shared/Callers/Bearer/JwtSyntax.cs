using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;
using Bff.Edge;

namespace Bff.Callers.Bearer;

/// <summary>
/// Strictly parses a JWS in compact form (RFC 7515, RFC 8725) before any cryptography. 1. Require three parts of canonical, unpadded
/// base64url. 2. Require that header and claims are JSON objects without repeated members. 3. Refuse header members that would let the
/// token choose its type or its processing.
/// </summary>
internal sealed class JwtSyntax : IDisposable
{
    private static readonly SearchValues<char> Base64UrlCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    );

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>
    /// Header members that ask for other processing or encryption, which is not supported. Keys that the token brings or links to
    /// (<c>jwk</c>, <c>jku</c>, <c>x5u</c>, <c>x5c</c>) need no refusal: they are never read, because the token is verified with the
    /// provider's own keys.
    /// </summary>
    private static readonly string[] Refused = ["crit", "b64", "zip", "enc"];

    private readonly JsonDocument _claims;

    private JwtSyntax(string algorithm, string? kid, JsonDocument claims)
    {
        Algorithm = algorithm;
        KeyId = kid;
        _claims = claims;
    }

    /// <summary>The header <c>alg</c>, not yet compared with any key.</summary>
    public string Algorithm { get; }

    /// <summary>The header <c>kid</c>.</summary>
    public string? KeyId { get; }

    /// <summary>The claims as a JSON object, not yet verified.</summary>
    public JsonElement Claims => _claims.RootElement;

    /// <summary>Whether the token has three or five parts, like a JWS or a JWE, and so is not opaque.</summary>
    public static bool LooksLikeJwt(ReadOnlySpan<char> token) => token.Count('.') is 2 or 4;

    /// <summary>Parses the token; null when it breaks any of the rules.</summary>
    public static JwtSyntax? Read(string token)
    {
        var span = token.AsSpan();
        Span<Range> parts = stackalloc Range[4];
        if (span.Split(parts, '.') != 3 || !IsCanonical(span[parts[2]]))
        {
            return null;
        }

        using var header = Decode(span[parts[0]]);
        if (header is null || !ReadHeader(header.RootElement, out var algorithm, out var kid))
        {
            return null;
        }

        return Decode(span[parts[1]]) is { } claims ? new JwtSyntax(algorithm, kid, claims) : null;
    }

    /// <inheritdoc />
    public void Dispose() => _claims.Dispose();

    private static bool ReadHeader(JsonElement header, out string algorithm, out string? kid)
    {
        (algorithm, kid) = ("", null);
        foreach (var name in Refused)
        {
            if (header.TryGetProperty(name, out _))
            {
                return false;
            }
        }

        if (!header.TryGetProperty("alg", out var alg) || alg.ValueKind != JsonValueKind.String || !IsKnownKind(header))
        {
            return false;
        }

        algorithm = alg.GetString()!;
        if (header.TryGetProperty("kid", out var id))
        {
            if (id.ValueKind != JsonValueKind.String)
            {
                return false;
            }

            kid = id.GetString();
        }

        return true;
    }

    /// <summary>
    /// Whether <c>typ</c> is absent or the type of an access token (RFC 7519 section 5.1, RFC 9068 section 2.1). Logout tokens and others
    /// are signed with the same keys.
    /// </summary>
    private static bool IsKnownKind(JsonElement header)
    {
        if (!header.TryGetProperty("typ", out var typ))
        {
            return true;
        }

        var kind = typ.ValueKind == JsonValueKind.String ? typ.GetString()! : "";
        const string Prefix = "application/";
        kind = kind.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? kind[Prefix.Length..] : kind;
        return kind.Equals("JWT", StringComparison.OrdinalIgnoreCase) || kind.Equals("at+jwt", StringComparison.OrdinalIgnoreCase);
    }

    private static JsonDocument? Decode(ReadOnlySpan<char> part)
    {
        if (!IsCanonical(part))
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(part);
        if (!Utf8.IsValid(bytes))
        {
            return null;
        }

        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(bytes, Strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                if (JsonTexts.MayBeBroken(bytes))
                {
                    JsonTexts.Check(document.RootElement);
                }

                return document;
            }
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // Refused like other malformed parts. InvalidOperationException means a name or text with half a surrogate pair.
        }

        document?.Dispose();
        return null;
    }

    /// <summary>Whether the part is the only spelling of its value: only the alphabet, and no bits set beyond the last byte.</summary>
    private static bool IsCanonical(ReadOnlySpan<char> part)
    {
        if (part.IsEmpty || part.ContainsAnyExcept(Base64UrlCharacters))
        {
            return false;
        }

        return (part.Length % 4) switch
        {
            0 => true,
            2 => (Sextet(part[^1]) & 0b1111) == 0,
            3 => (Sextet(part[^1]) & 0b11) == 0,
            _ => false,
        };
    }

    private static int Sextet(char c) =>
        c switch
        {
            >= 'A' and <= 'Z' => c - 'A',
            >= 'a' and <= 'z' => c - 'a' + 26,
            >= '0' and <= '9' => c - '0' + 52,
            '-' => 62,
            _ => 63,
        };
}
