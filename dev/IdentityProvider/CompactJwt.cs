using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>Writes and checks tokens in the compact form (RFC 7515). Written by hand, so that tests can also have invalid tokens.</summary>
internal sealed class CompactJwt(KeyRing keys, TimeProvider time)
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Write(string type, JsonObject payload, SigningKey key, TokenFlaw flaw = TokenFlaw.None)
    {
        Spoil(payload, flaw);
        var header = new JsonObject
        {
            ["alg"] = key.Algorithm,
            ["kid"] = key.Kid,
            ["typ"] = flaw.HasFlag(TokenFlaw.WrongType) ? "wrong+jwt" : type,
        };
        if (flaw.HasFlag(TokenFlaw.MissingType))
            header.Remove("typ");
        if (flaw.HasFlag(TokenFlaw.UnknownKey))
            header["kid"] = "nobody-has-this-key";
        if (flaw.HasFlag(TokenFlaw.NoSignature))
            header["alg"] = "none";
        if (flaw.HasFlag(TokenFlaw.PublicKeyAsSecret))
            header["alg"] = "HS256";

        var signed = Encode(header) + "." + Encode(payload);
        return signed + "." + Base64Url.EncodeToString(Signature(Encoding.ASCII.GetBytes(signed), key, flaw));
    }

    /// <summary>
    /// Returns the claims of a token of this provider that is signed by a published key and has not expired; otherwise null.
    /// </summary>
    public JsonObject? Read(string token)
    {
        try
        {
            if (token.Split('.') is not [var head, var body, var signature])
                return null;
            var header = JsonNode.Parse(Base64Url.DecodeFromChars(head)) as JsonObject;
            if (header?["kid"]?.GetValue<string>() is not { } kid || keys.Find(kid) is not { Withdrawn: false } key)
                return null;
            if (header["alg"]?.GetValue<string>() != key.Algorithm)
                return null;
            if (!key.Verify(Encoding.ASCII.GetBytes(head + "." + body), Base64Url.DecodeFromChars(signature)))
                return null;
            var claims = JsonNode.Parse(Base64Url.DecodeFromChars(body)) as JsonObject;
            return claims?["exp"]?.GetValue<long>() > time.GetUtcNow().ToUnixTimeSeconds() ? claims : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    private static byte[] Signature(byte[] data, SigningKey key, TokenFlaw flaw)
    {
        if (flaw.HasFlag(TokenFlaw.NoSignature))
            return [];
        if (flaw.HasFlag(TokenFlaw.PublicKeyAsSecret))
            return HMACSHA256.HashData(key.PublicKeyInfo(), data);
        if ((flaw & (TokenFlaw.ForeignSignature | TokenFlaw.UnknownKey)) == 0)
            return key.Sign(data);
        using var foreign = SigningKey.Create(key.Algorithm, key.Kid);
        return foreign.Sign(data);
    }

    private void Spoil(JsonObject payload, TokenFlaw flaw)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        if (flaw.HasFlag(TokenFlaw.WrongIssuer))
            payload["iss"] = "http://127.0.0.1:1/another-provider";
        if (flaw.HasFlag(TokenFlaw.WrongAudience))
            payload["aud"] = "somebody-else";
        if (flaw.HasFlag(TokenFlaw.Expired))
            (payload["iat"], payload["exp"]) = (now - 7200, now - 3600);
        if (flaw.HasFlag(TokenFlaw.IssuedInTheFuture))
            (payload["iat"], payload["nbf"], payload["exp"]) = (now + 3600, now + 3600, now + 7200);
        if (flaw.HasFlag(TokenFlaw.WrongNonce))
            payload["nonce"] = "not-the-nonce-that-was-sent";
        if (flaw.HasFlag(TokenFlaw.WithNonce))
            payload["nonce"] = "a-logout-token-has-none";
        if (flaw.HasFlag(TokenFlaw.MissingNonce))
            payload.Remove("nonce");
        if (flaw.HasFlag(TokenFlaw.MissingEvents))
            payload.Remove("events");
        if (flaw.HasFlag(TokenFlaw.MissingJti))
            payload.Remove("jti");
        if (flaw.HasFlag(TokenFlaw.MissingIssuedAt))
            payload.Remove("iat");
        if (flaw.HasFlag(TokenFlaw.MissingExpiry))
            payload.Remove("exp");
        if (!flaw.HasFlag(TokenFlaw.MissingSidAndSub))
            return;
        payload.Remove("sid");
        payload.Remove("sub");
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString(Plain)));
}
