using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Bff.TestKit;

/// <summary>Signs tokens as told, including invalid ones; checks nothing.</summary>
public sealed class SigningTestKey
{
    private readonly RSA? _rsa;
    private readonly ECDsa? _ec;
    private readonly byte[]? _secret;

    private SigningTestKey(string kid, string algorithm, RSA? rsa = null, ECDsa? ec = null, byte[]? secret = null)
    {
        (Kid, Algorithm, _rsa, _ec, _secret) = (kid, algorithm, rsa, ec, secret);
    }

    public string Kid { get; }

    public string Algorithm { get; }

    /// <summary>Members that replace or extend those of the published key.</summary>
    public JsonObject Extra { get; } = [];

    public RSA PublicRsa => _rsa!;

    public static SigningTestKey Rsa(string kid, string algorithm = "RS256", int bits = 2048) => new(kid, algorithm, rsa: RSA.Create(bits));

    public static SigningTestKey Ec(string kid, string algorithm = "ES256") =>
        new(
            kid,
            algorithm,
            ec: ECDsa.Create(
                algorithm switch
                {
                    "ES384" => ECCurve.NamedCurves.nistP384,
                    "ES512" => ECCurve.NamedCurves.nistP521,
                    _ => ECCurve.NamedCurves.nistP256,
                }
            )
        );

    public static SigningTestKey Secret(byte[] secret, string kid = "secret", string algorithm = "HS256") =>
        new(kid, algorithm, secret: secret);

    /// <summary>Returns the same key for another algorithm.</summary>
    public SigningTestKey As(string algorithm) => new(Kid, algorithm, _rsa, _ec, _secret);

    public string Sign(JsonObject claims, Action<JsonObject>? changeHeader = null)
    {
        var header = new JsonObject
        {
            ["alg"] = Algorithm,
            ["typ"] = "JWT",
            ["kid"] = Kid,
        };
        changeHeader?.Invoke(header);
        return SignRaw(header.ToJsonString(), claims.ToJsonString());
    }

    /// <summary>Signs exactly these texts.</summary>
    public string SignRaw(string header, string claims) => SignParts(Encode(header), Encode(claims));

    /// <summary>Signs exactly these parts, however they are encoded.</summary>
    public string SignParts(string header, string claims)
    {
        var signed = header + "." + claims;
        return signed + "." + Base64Url.EncodeToString(Signature(Encoding.UTF8.GetBytes(signed)));
    }

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public JsonObject PublicJwk()
    {
        var jwk = new JsonObject { ["kid"] = Kid, ["use"] = "sig" };
        if (_rsa is not null)
        {
            var parameters = _rsa.ExportParameters(false);
            jwk["kty"] = "RSA";
            jwk["n"] = Base64Url.EncodeToString(parameters.Modulus);
            jwk["e"] = Base64Url.EncodeToString(parameters.Exponent);
        }
        else
        {
            var parameters = _ec!.ExportParameters(false);
            jwk["kty"] = "EC";
            jwk["crv"] = Algorithm switch
            {
                "ES384" => "P-384",
                "ES512" => "P-521",
                _ => "P-256",
            };
            jwk["x"] = Base64Url.EncodeToString(parameters.Q.X);
            jwk["y"] = Base64Url.EncodeToString(parameters.Q.Y);
        }

        foreach (var (name, value) in Extra)
        {
            jwk[name] = value?.DeepClone();
        }

        return jwk;
    }

    private byte[] Signature(byte[] data)
    {
        var hash = Algorithm[^3..] switch
        {
            "384" => HashAlgorithmName.SHA384,
            "512" => HashAlgorithmName.SHA512,
            _ => HashAlgorithmName.SHA256,
        };
        return Algorithm[..2] switch
        {
            "RS" => _rsa!.SignData(data, hash, RSASignaturePadding.Pkcs1),
            "PS" => _rsa!.SignData(data, hash, RSASignaturePadding.Pss),
            "ES" => _ec!.SignData(data, hash),
            _ => Algorithm switch
            {
                "HS384" => HMACSHA384.HashData(_secret!, data),
                "HS512" => HMACSHA512.HashData(_secret!, data),
                _ => HMACSHA256.HashData(_secret!, data),
            },
        };
    }
}
