using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bff.TestKit;

namespace Bff.Shared.Tests.Callers.Bearer;

/// <summary>
/// Tokens of every kind, named after their property. The code is the client's error code; null means that the token is accepted.
/// </summary>
internal static class TokenCases
{
    public sealed record Case(string Name, string? Code, Func<TestIssuer, string> Token);

    public static readonly SigningTestKey Ec256 = SigningTestKey.Ec("ec256");
    public static readonly SigningTestKey Ec384 = SigningTestKey.Ec("ec384", "ES384");
    public static readonly SigningTestKey Ec512 = SigningTestKey.Ec("ec512", "ES512");
    public static readonly SigningTestKey OnlyPs = SigningTestKey.Rsa("only-ps", "PS256");
    public static readonly SigningTestKey ForEncryption = SigningTestKey.Rsa("for-encryption");
    public static readonly SigningTestKey Weak = SigningTestKey.Rsa("weak", bits: 1024);
    private static readonly SigningTestKey Foreign = SigningTestKey.Rsa("first");

    public static IReadOnlyList<Case> All { get; } =
    [
        Good("RS256", i => i.Token()),
        Good("RS384", i => i.Token(key: i.Key.As("RS384"))),
        Good("RS512", i => i.Token(key: i.Key.As("RS512"))),
        Good("PS256", i => i.Token(key: i.Key.As("PS256"))),
        Good("PS384", i => i.Token(key: i.Key.As("PS384"))),
        Good("PS512", i => i.Token(key: i.Key.As("PS512"))),
        Good("ES256", i => i.Token(key: Ec256)),
        Good("ES384", i => i.Token(key: Ec384)),
        Good("ES512", i => i.Token(key: Ec512)),
        Good("no kid", i => i.Key.Sign(i.Claims(), h => h.Remove("kid"))),
        Good("no typ", i => i.Key.Sign(i.Claims(), h => h.Remove("typ"))),
        Good("typ at+jwt", i => i.Key.Sign(i.Claims(), h => h["typ"] = "at+jwt")),
        Good("typ application/at+jwt", i => i.Key.Sign(i.Claims(), h => h["typ"] = "application/AT+JWT")),
        Good("x5t is harmless", i => i.Key.Sign(i.Claims(), h => h["x5t"] = "abc")),
        Good("audience among several", i => i.Token(c => c["aud"] = new JsonArray("other", "bff"))),
        Good("expired within the skew", i => i.Token(c => c["exp"] = Now - 20)),
        Good("not before within the skew", i => i.Token(c => c["nbf"] = Now + 20)),
        Good("fractional exp", i => i.Token(c => c["exp"] = Now + 60.5)),
        Good(
            "scp array",
            i =>
                i.Token(c =>
                {
                    c.Remove("scope");
                    c["scp"] = new JsonArray("api");
                })
        ),
        Good(
            "scp string",
            i =>
                i.Token(c =>
                {
                    c.Remove("scope");
                    c["scp"] = "x api";
                })
        ),
        Good("just below 8 KiB", i => Sized(i, 8192)),
        Bad(
            "alg none, no signature",
            i => SigningTestKey.Encode("""{"alg":"none"}""") + "." + SigningTestKey.Encode(i.Claims().ToJsonString()) + "."
        ),
        Bad("alg none, with signature", i => i.Key.SignRaw("""{"alg":"none","kid":"first"}""", i.Claims().ToJsonString())),
        Bad("alg NoNe", i => i.Key.SignRaw("""{"alg":"NoNe","kid":"first"}""", i.Claims().ToJsonString())),
        Bad("no alg", i => i.Key.Sign(i.Claims(), h => h.Remove("alg"))),
        Bad("alg not a string", i => i.Key.Sign(i.Claims(), h => h["alg"] = 1)),
        Bad("alg in lower case", i => i.Key.Sign(i.Claims(), h => h["alg"] = "rs256")),
        Bad("alg RS256 over an RS512 signature", i => i.Key.As("RS512").Sign(i.Claims(), h => h["alg"] = "RS256")),
        Bad("alg PS256 over an RS256 signature", i => i.Key.Sign(i.Claims(), h => h["alg"] = "PS256")),
        Bad("alg of another family than the key", i => i.Key.Sign(i.Claims(), h => h["alg"] = "ES256")),
        Bad(
            "key confusion: HS256 with the public key as PEM",
            i => SigningTestKey.Secret(Encoding.ASCII.GetBytes(i.Key.PublicRsa.ExportSubjectPublicKeyInfoPem()), "first").Sign(i.Claims())
        ),
        Bad(
            "key confusion: HS256 with the public key as DER",
            i => SigningTestKey.Secret(i.Key.PublicRsa.ExportSubjectPublicKeyInfo(), "first").Sign(i.Claims())
        ),
        Bad(
            "key confusion: HS256 with the modulus",
            i => SigningTestKey.Secret(i.Key.PublicRsa.ExportParameters(false).Modulus!, "first").Sign(i.Claims())
        ),
        Bad("HS256 without a configured secret", i => SigningTestKey.Secret(RandomNumberGenerator.GetBytes(32)).Sign(i.Claims())),
        Bad("HS256 with an empty secret", i => SigningTestKey.Secret([]).Sign(i.Claims(), h => h.Remove("kid"))),
        Bad("signed by another key of the same id", i => Foreign.Sign(i.Claims())),
        Bad("unknown kid", i => SigningTestKey.Rsa("nobody").Sign(i.Claims())),
        Bad("kid not a string", i => i.Key.Sign(i.Claims(), h => h["kid"] = 7)),
        Bad("kid as a path", i => i.Key.Sign(i.Claims(), h => h["kid"] = "../../../../dev/null")),
        Bad("key published for encryption", i => ForEncryption.Sign(i.Claims())),
        Bad("key published for another algorithm", i => OnlyPs.As("RS256").Sign(i.Claims())),
        Bad("key too weak", i => Weak.Sign(i.Claims())),
        Bad("P-384 key under ES256", i => Ec384.Sign(i.Claims(), h => h["alg"] = "ES256")),
        Bad("jku to a set with the key that signed", i => Foreign.Sign(i.Claims(), h => h["jku"] = "http://127.0.0.1:1/keys")),
        Bad("x5u to the key that signed", i => Foreign.Sign(i.Claims(), h => h["x5u"] = "http://127.0.0.1:1/keys")),
        Bad("x5c that is not read", i => Foreign.Sign(i.Claims(), h => h["x5c"] = new JsonArray("MII"))),
        Bad("jwk embedded", i => Foreign.Sign(i.Claims(), h => h["jwk"] = Foreign.PublicJwk())),
        Good("jwk embedded, though well signed", i => i.Key.Sign(i.Claims(), h => h["jwk"] = i.Key.PublicJwk())),
        Good("jku is not followed", i => i.Key.Sign(i.Claims(), h => h["jku"] = i.Address + "/keys")),
        Good("x5u is not followed", i => i.Key.Sign(i.Claims(), h => h["x5u"] = i.Address + "/keys")),
        Good("x5c is not followed", i => i.Key.Sign(i.Claims(), h => h["x5c"] = new JsonArray("MII"))),
        Bad(
            "unknown crit",
            i =>
                i.Key.Sign(
                    i.Claims(),
                    h =>
                    {
                        h["crit"] = new JsonArray("x-new");
                        h["x-new"] = true;
                    }
                )
        ),
        Bad("empty crit", i => i.Key.Sign(i.Claims(), h => h["crit"] = new JsonArray())),
        Bad(
            "b64 false",
            i =>
                i.Key.Sign(
                    i.Claims(),
                    h =>
                    {
                        h["crit"] = new JsonArray("b64");
                        h["b64"] = false;
                    }
                )
        ),
        Bad("typ logout+jwt", i => i.Key.Sign(i.Claims(), h => h["typ"] = "logout+jwt")),
        Bad("typ dpop+jwt", i => i.Key.Sign(i.Claims(), h => h["typ"] = "dpop+jwt")),
        Bad("typ application/secevent+jwt", i => i.Key.Sign(i.Claims(), h => h["typ"] = "application/secevent+jwt")),
        Bad("typ not a string", i => i.Key.Sign(i.Claims(), h => h["typ"] = 1)),
        Bad(
            "header with a repeated member",
            i => i.Key.SignRaw("""{"alg":"RS256","kid":"first","alg":"none"}""", i.Claims().ToJsonString())
        ),
        Bad("header is a list", i => i.Key.SignRaw("[]", i.Claims().ToJsonString())),
        Bad("header is not JSON", i => i.Key.SignRaw("alg=RS256", i.Claims().ToJsonString())),
        Bad(
            "claims with a repeated member",
            i => i.Key.SignRaw(Header, i.Claims().ToJsonString().Replace("\"sub\":", "\"sub\":\"u-2\",\"sub\":"))
        ),
        Bad("claims are a string", i => i.Key.SignRaw(Header, "\"claims\"")),
        Bad("claims are not JSON", i => i.Key.SignRaw(Header, "{\"sub\":")),
        Bad(
            "claims are not UTF-8",
            i =>
                i.Key.SignParts(
                    SigningTestKey.Encode(Header),
                    Base64(Encoding.Latin1.GetBytes(i.Claims().ToJsonString().Replace("u-1", "\u00e9")))
                )
        ),
        Bad("JWE", i => $"{SigningTestKey.Encode("""{"alg":"RSA-OAEP","enc":"A256GCM"}""")}.YQ.YQ.YQ.YQ"),
        Bad("enc in a signed header", i => i.Key.Sign(i.Claims(), h => h["enc"] = "A256GCM")),
        Bad(
            "padded base64url",
            i => i.Key.SignParts(Pad(SigningTestKey.Encode(Header + " ")), SigningTestKey.Encode(i.Claims().ToJsonString()))
        ),
        Bad("padded signature", i => i.Token() + "=="),
        Bad("standard base64 alphabet", i => i.Key.SignParts(SigningTestKey.Encode(Header), Base64Standard(i))),
        Bad("non-canonical last character of the signature", i => LastCharacterChanged(i.Token())),
        Bad("line break in the claims' encoding", i => i.Token().Insert(60, "%0A")),
        Bad("one part", _ => "abcdef"),
        Bad("two parts", i => i.Token()[..i.Token().LastIndexOf('.')]),
        Bad("empty signature", i => i.Token()[..(i.Token().LastIndexOf('.') + 1)]),
        Bad("four parts", i => i.Token() + ".YQ"),
        Bad("trailing dot", i => i.Token() + "."),
        Bad("signature cut short", i => i.Token()[..^4]),
        Bad("claims exchanged after signing", i => Exchanged(i)),
        Bad("more than 8 KiB", i => Sized(i, 8300)),
        Bad("two tokens", i => i.Token() + ", " + i.Token()),
        Bad("wrong issuer", i => i.Token(c => c["iss"] = "https://elsewhere.example")),
        Bad("issuer with a slash more", i => i.Token(c => c["iss"] = i.Address + "/")),
        Bad("issuer in a list", i => i.Token(c => c["iss"] = new JsonArray(i.Address))),
        Bad("no issuer", i => i.Token(c => c.Remove("iss"))),
        Bad("wrong audience", i => i.Token(c => c["aud"] = "other")),
        Bad("audience with a slash more", i => i.Token(c => c["aud"] = "bff/")),
        Bad("audience in other case", i => i.Token(c => c["aud"] = "BFF")),
        Bad("no audience", i => i.Token(c => c.Remove("aud"))),
        Bad("empty list of audiences", i => i.Token(c => c["aud"] = new JsonArray())),
        Bad("expired", i => i.Token(c => c["exp"] = Now - 31), "token_expired"),
        Bad("no exp", i => i.Token(c => c.Remove("exp"))),
        Bad("exp as text", i => i.Token(c => c["exp"] = (Now + 600).ToString(System.Globalization.CultureInfo.InvariantCulture))),
        Bad("exp null", i => i.Token(c => c["exp"] = null)),
        Bad("exp beyond all time", i => i.Key.SignRaw(Header, i.Claims().ToJsonString().Replace("\"exp\":", "\"exp\":1e300,\"was\":"))),
        Bad("exp negative", i => i.Token(c => c["exp"] = -1)),
        Bad("not valid yet", i => i.Token(c => c["nbf"] = Now + 60)),
        Bad("nbf as text", i => i.Token(c => c["nbf"] = "0")),
        Bad("iat as text", i => i.Token(c => c["iat"] = "0")),
        Bad("no sub and no client", i => i.Token(c => c.Remove("sub"))),
        Bad(
            "sub null beside a client",
            i =>
                i.Token(c =>
                {
                    c["sub"] = null;
                    c["client_id"] = "app";
                })
        ),
        Bad(
            "empty sub beside a client",
            i =>
                i.Token(c =>
                {
                    c["sub"] = "";
                    c["client_id"] = "app";
                })
        ),
        Bad(
            "empty client and no sub",
            i =>
                i.Token(c =>
                {
                    c.Remove("sub");
                    c["client_id"] = "";
                })
        ),
        Bad("sub that reads as an application's", i => i.Token(c => c["sub"] = "client:u-1")),
        Bad("empty sub", i => i.Token(c => c["sub"] = "")),
        Bad("blank sub", i => i.Token(c => c["sub"] = " ")),
        Bad("sub a number", i => i.Token(c => c["sub"] = 1)),
        Bad("sub null", i => i.Token(c => c["sub"] = null)),
        Bad("line break in sub", i => i.Token(c => c["sub"] = "u-1\r\nX-User-Roles: admin")),
        Bad("NUL in email", i => i.Token(c => c["email"] = "a\0@example.com")),
        Bad("line break in a role", i => i.Token(c => c["roles"] = new JsonArray("admin\n"))),
        Bad("C1 control in the tenant", i => i.Token(c => c["tid"] = "t\u0085")),
        Bad("half a surrogate pair in sub", i => i.Key.SignRaw(Header, i.Claims().ToJsonString().Replace("\"u-1\"", "\"\\ud800\""))),
        Bad("half a surrogate pair in kid", i => i.Key.SignRaw("""{"alg":"RS256","kid":"\ud800"}""", i.Claims().ToJsonString())),
        Bad("half a surrogate pair in alg", i => i.Key.SignRaw("""{"alg":"\ud800","kid":"first"}""", i.Claims().ToJsonString())),
        Bad("half a surrogate pair in typ", i => i.Key.SignRaw("""{"alg":"RS256","typ":"\udc00"}""", i.Claims().ToJsonString())),
        Bad("half a surrogate pair as a header's name", i => i.Key.SignRaw("""{"alg":"RS256","\ud800":1}""", i.Claims().ToJsonString())),
        Bad(
            "half a surrogate pair in the issuer",
            i => i.Key.SignRaw(Header, i.Claims().ToJsonString().Replace($"\"{i.Address}\"", "\"\\ud800\""))
        ),
        Bad(
            "half a surrogate pair as a claim's name",
            i => i.Key.SignRaw(Header, i.Claims().ToJsonString().Replace("\"sub\":", "\"\\ud800\":1,\"sub\":"))
        ),
        Bad("tenant a number", i => i.Token(c => c["tid"] = 5)),
        Bad("roles an object", i => i.Token(c => c["roles"] = new JsonObject())),
        Bad("scope missing", i => i.Token(c => c.Remove("scope")), "insufficient_scope"),
        Bad("scope only alike", i => i.Token(c => c["scope"] = "api.read API apis"), "insufficient_scope"),
        Bad(
            "scope with a space in a list",
            i =>
                i.Token(c =>
                {
                    c.Remove("scope");
                    c["scp"] = new JsonArray("x api");
                }),
            "insufficient_scope"
        ),
    ];

    private const string Header = """{"alg":"RS256","kid":"first"}""";

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private static Case Good(string name, Func<TestIssuer, string> token) => new(name, null, token);

    private static Case Bad(string name, Func<TestIssuer, string> token, string code = "invalid_token") => new(name, code, token);

    private static string Sized(TestIssuer issuer, int length)
    {
        var padding = length * 3 / 4;
        string token;
        do
        {
            token = issuer.Token(c => c["padding"] = new string('x', padding));
            padding -= token.Length > length ? Math.Max(1, (token.Length - length) / 2) : 0;
        } while (token.Length > length);
        return length > 8192 ? issuer.Token(c => c["padding"] = new string('x', padding)) : token;
    }

    private static string Pad(string part) =>
        part.PadRight((part.Length + 3) / 4 * 4, '=') is var padded && padded != part ? padded : part + "====";

    private static string Base64(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    /// <summary>Returns claims whose encoding contains a <c>+</c> or <c>/</c>.</summary>
    private static string Base64Standard(TestIssuer issuer)
    {
        var claims = issuer.Claims();
        claims["email"] = "???>>>~~~";
        claims["name"] = "\u00ff\u00fe\u00fb\u00ff";
        var text = claims.ToJsonString(
            new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
        );
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=');
        return encoded.AsSpan().ContainsAny('+', '/') ? encoded : throw new InvalidOperationException("The case would test nothing.");
    }

    /// <summary>
    /// Changes the last character. A signature of 256 bytes leaves four bits unused there, so the new character means the same bytes.
    /// </summary>
    private static string LastCharacterChanged(string token) => token[..^1] + (char)(token[^1] + 1);

    private static string Exchanged(TestIssuer issuer)
    {
        var parts = issuer.Token().Split('.');
        var claims = issuer.Claims();
        claims["sub"] = "u-2";
        return $"{parts[0]}.{SigningTestKey.Encode(claims.ToJsonString())}.{parts[2]}";
    }
}
