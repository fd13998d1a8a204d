using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Bff.Bench.Upstream;

/// <summary>Signs access tokens with a key that lives as long as the process, and publishes discovery and keys as issuers do.</summary>
internal sealed class Issuer(string address)
{
    private readonly RSA _key = RSA.Create(2048);

    public byte[] Discovery =>
        Encoding.UTF8.GetBytes(
            $$"""{"issuer":"{{address}}","jwks_uri":"{{address}}/keys","id_token_signing_alg_values_supported":["RS256"]}"""
        );

    public byte[] Keys
    {
        get
        {
            var key = _key.ExportParameters(includePrivateParameters: false);
            return Encoding.UTF8.GetBytes(
                $$"""{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"bench","n":"{{Base64Url.EncodeToString(key.Modulus)}}","e":"{{Base64Url.EncodeToString(key.Exponent)}}"}]}"""
            );
        }
    }

    /// <summary>Returns a token of the size that issuers make, valid for six hours.</summary>
    public byte[] Token(string subject, string? tenant, string? role)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = $$"""
            {"iss":"{{address}}","aud":["bff"],"sub":"{{subject}}","tid":{{(tenant is null ? "null" : $"\"{tenant}\"")}},"roles":["{{role
                ?? "enterprise"}}"],"scope":"api openid profile",
            "client_id":"bench-app","email":"{{subject}}@example.com","name":"Ada Example","jti":"{{Guid.NewGuid():N}}","iat":{{now}},"nbf":{{now}},"exp":{{now
                + 21_600}}}
            """;
        var head = Encode("""{"alg":"RS256","typ":"JWT","kid":"bench"}""") + "." + Encode(claims);
        var signature = _key.SignData(Encoding.ASCII.GetBytes(head), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return Encoding.ASCII.GetBytes(head + "." + Base64Url.EncodeToString(signature));
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
