using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bff.State;

namespace Bff.Callers.Identity;

/// <summary>A P-256 key that every instance derives from the same shared secret.</summary>
internal sealed class AssertionKey
{
    private static readonly BigInteger Order = BigInteger.Parse(
        "0FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
        System.Globalization.NumberStyles.HexNumber,
        System.Globalization.CultureInfo.InvariantCulture
    );

    private readonly ECDsa _key;
    private readonly Lock _signing = new();
    private readonly ECPoint _public;

    private AssertionKey(string id, ECDsa key)
    {
        Id = id;
        _key = key;
        _public = key.ExportParameters(includePrivateParameters: false).Q;
        Header = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"ES256","typ":"JWT","kid":"{{id}}"}"""));
    }

    /// <summary>The key's id.</summary>
    public string Id { get; }

    /// <summary>The encoded JWT header of the assertions that this key signs.</summary>
    public string Header { get; }

    /// <summary>
    /// Derives the key. The secret is stretched to 48 bytes and reduced to a scalar; the extra bits make all scalars equally likely (FIPS
    /// 186-5 appendix A.2.1).
    /// </summary>
    public static AssertionKey From(RingKey secret)
    {
        var bytes = HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            secret.Material.ToArray(),
            48,
            info: "bff identity assertion ES256"u8.ToArray()
        );
        var scalar = (new BigInteger(bytes, isUnsigned: true, isBigEndian: true) % (Order - 1)) + 1;
        var d = new byte[32];
        var written = scalar.ToByteArray(isUnsigned: true, isBigEndian: true);
        written.CopyTo(d, d.Length - written.Length);
        return new AssertionKey(secret.Id, ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = d }));
    }

    /// <summary>Signs with ES256 (RFC 7518 section 3.4).</summary>
    public byte[] Sign(byte[] data)
    {
        lock (_signing)
        {
            return _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    /// <summary>Writes the public key as a JWK.</summary>
    public void WritePublic(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("kty", "EC");
        json.WriteString("crv", "P-256");
        json.WriteString("use", "sig");
        json.WriteString("alg", "ES256");
        json.WriteString("kid", Id);
        json.WriteString("x", Base64Url.EncodeToString(_public.X));
        json.WriteString("y", Base64Url.EncodeToString(_public.Y));
        json.WriteEndObject();
    }
}
