using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>One asymmetric key with its id. RS256 is RSA of 2048 bits, ES256 is P-256 (RFC 7518, section 3.1).</summary>
internal sealed class SigningKey : IDisposable
{
    public const string Rs256 = "RS256";
    public const string Es256 = "ES256";

    private readonly Lock gate = new();
    private readonly AsymmetricAlgorithm key;

    private SigningKey(string kid, string algorithm, AsymmetricAlgorithm key) => (Kid, Algorithm, this.key) = (kid, algorithm, key);

    public string Kid { get; }

    public string Algorithm { get; }

    public bool Withdrawn { get; set; }

    public static SigningKey Create(string algorithm, string? kid = null)
    {
        kid ??= (algorithm == Es256 ? "es256-" : "rs256-") + RandomNumberGenerator.GetHexString(12, lowercase: true);
        return algorithm switch
        {
            Rs256 => new SigningKey(kid, algorithm, RSA.Create(2048)),
            Es256 => new SigningKey(kid, algorithm, ECDsa.Create(ECCurve.NamedCurves.nistP256)),
            _ => throw new ArgumentException($"No such algorithm here: {algorithm}. There are RS256 and ES256.", nameof(algorithm)),
        };
    }

    public byte[] Sign(byte[] data)
    {
        lock (gate)
        {
            return key is RSA rsa
                ? rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                : ((ECDsa)key).SignData(data, HashAlgorithmName.SHA256);
        }
    }

    public bool Verify(byte[] data, byte[] signature)
    {
        lock (gate)
        {
            return key is RSA rsa
                ? rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                : ((ECDsa)key).VerifyData(data, signature, HashAlgorithmName.SHA256);
        }
    }

    public JsonObject PublicJwk()
    {
        var jwk = new JsonObject
        {
            ["kid"] = Kid,
            ["use"] = "sig",
            ["alg"] = Algorithm,
        };
        if (key is RSA rsa)
        {
            var numbers = rsa.ExportParameters(includePrivateParameters: false);
            jwk["kty"] = "RSA";
            jwk["n"] = Base64Url.EncodeToString(numbers.Modulus);
            jwk["e"] = Base64Url.EncodeToString(numbers.Exponent);
            return jwk;
        }

        var point = ((ECDsa)key).ExportParameters(includePrivateParameters: false).Q;
        jwk["kty"] = "EC";
        jwk["crv"] = "P-256";
        jwk["x"] = Base64Url.EncodeToString(point.X);
        jwk["y"] = Base64Url.EncodeToString(point.Y);
        return jwk;
    }

    public byte[] PublicKeyInfo() => key.ExportSubjectPublicKeyInfo();

    public void Dispose() => key.Dispose();
}
