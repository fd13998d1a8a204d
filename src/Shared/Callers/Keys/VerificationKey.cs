using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Callers.Keys;

/// <summary>A key that verifies tokens, with the algorithms that it may be used for. The token's header never decides them.</summary>
internal sealed class VerificationKey
{
    private const int MinRsaBits = 2048;
    private static readonly string[] Rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

    private VerificationKey(SecurityKey key, string? kid, string? issuer, string[] algorithms)
    {
        Key = key;
        Kid = kid;
        Issuer = issuer;
        Algorithms = algorithms;
        Thumbprint = Convert.ToHexString(key.ComputeJwkThumbprint());
    }

    /// <summary>The key in the form that the token library needs.</summary>
    public SecurityKey Key { get; }

    /// <summary>The id by which tokens name the key; null for none.</summary>
    public string? Kid { get; }

    /// <summary>The only issuer that signs with the key, or a template; null for any accepted issuer.</summary>
    public string? Issuer { get; }

    /// <summary>Values of <c>alg</c> that the key verifies.</summary>
    public IReadOnlyList<string> Algorithms { get; }

    /// <summary>The thumbprint (RFC 7638), which tells keys with the same id apart.</summary>
    public string Thumbprint { get; }

    /// <summary>Creates a symmetric key from configuration, which verifies only HS256.</summary>
    public static VerificationKey Secret(byte[] bytes, string? kid, string? issuer) =>
        new(new SymmetricSecurityKey(bytes), kid, issuer, ["HS256"]);

    /// <summary>Reads a published key; null when it does not verify signatures, or is weak or damaged.</summary>
    /// <param name="jwk">The key as published.</param>
    /// <param name="issuer">The only issuer that signs with the key, or a template; null for any accepted issuer.</param>
    public static VerificationKey? Published(JsonWebKey jwk, string? issuer = null)
    {
        if (jwk.Use is { Length: > 0 } and not "sig" || (jwk.KeyOps.Count > 0 && !jwk.KeyOps.Contains("verify")))
        {
            return null;
        }

        try
        {
            var (key, algorithms) = jwk.Kty switch
            {
                "RSA" => FromRsa(jwk),
                "EC" => FromEc(jwk),
                _ => (null, []),
            };
            if (key is null)
            {
                return null;
            }

            algorithms = string.IsNullOrEmpty(jwk.Alg) ? algorithms : [.. algorithms.Where(a => a == jwk.Alg)];
            return algorithms.Length == 0
                ? null
                : new VerificationKey(key, string.IsNullOrEmpty(jwk.Kid) ? null : jwk.Kid, issuer, algorithms);
        }
        catch (Exception damaged) when (damaged is FormatException or CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    private static (SecurityKey?, string[]) FromRsa(JsonWebKey jwk)
    {
        var key = new RsaSecurityKey(
            new RSAParameters { Modulus = Base64UrlEncoder.DecodeBytes(jwk.N), Exponent = Base64UrlEncoder.DecodeBytes(jwk.E) }
        );
        return key.KeySize < MinRsaBits ? (null, []) : (key, Rsa);
    }

    private static (SecurityKey?, string[]) FromEc(JsonWebKey jwk)
    {
        (ECCurve Curve, string Algorithm)? known = jwk.Crv switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, "ES256"),
            "P-384" => (ECCurve.NamedCurves.nistP384, "ES384"),
            "P-521" => (ECCurve.NamedCurves.nistP521, "ES512"),
            _ => null,
        };
        if (known is not { } curve)
        {
            return (null, []);
        }

        var point = new ECPoint { X = Base64UrlEncoder.DecodeBytes(jwk.X), Y = Base64UrlEncoder.DecodeBytes(jwk.Y) };
        var key = ECDsa.Create(new ECParameters { Curve = curve.Curve, Q = point });
        return (new ECDsaSecurityKey(key), [curve.Algorithm]);
    }
}
