using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;
using Bff.Edge;

namespace Bff.Callers.Bearer;

/// <summary>
/// The strict reading of a JWS in compact form (RFC 7515, RFC 8725), before any cryptography:
/// 1. three parts of canonical, unpadded base64url; 2. header and claims are JSON objects without repeated members; 3. nothing in the
/// header that would let the token choose its kind or its processing.
/// </summary>
internal sealed class JwtSyntax : IDisposable
{
    private static readonly SearchValues<char> Base64UrlCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    );

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>
    /// Other processing and encryption: not understood here, so not accepted. Keys that the token brings or points to (<c>jwk</c>,
    /// <c>jku</c>, <c>x5u</c>,
    /// <c>x5c</c>) are not among them: they are never read, since it is verified with the provider's own.
    /// </summary>
    private static readonly string[] Refused = ["crit", "b64", "zip", "enc"];

    private readonly JsonDocument _claims;

    private JwtSyntax(string algorithm, string? kid, JsonDocument claims)
    {
        Algorithm = algorithm;
        KeyId = kid;
        _claims = claims;
    }

    /// <summary>Header <c>alg</c>, not yet compared with any key.</summary>
    public string Algorithm { get; }

    /// <summary>Header <c>kid</c>.</summary>
    public string? KeyId { get; }

    /// <summary>The claims, a JSON object; not yet verified.</summary>
    public JsonElement Claims => _claims.RootElement;

    /// <summary>Three or five parts: a JWS or a JWE, not an opaque token.</summary>
    public static bool LooksLikeJwt(ReadOnlySpan<char> token) => token.Count('.') is 2 or 4;

    /// <summary>Null when anything is not as it must be.</summary>
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
    /// Absent, or the type of an access token (RFC 7519 section 5.1, RFC 9068 section 2.1); logout tokens and the like are signed by the
    /// same keys.
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
            // Refused like the rest. InvalidOperationException: a name or a text with half a surrogate pair.
        }

        document?.Dispose();
        return null;
    }

    /// <summary>One spelling per value: the alphabet alone, and no bits set beyond the last byte.</summary>
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
