using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Callers.Clients;

/// <summary>A client's private key, which signs the client's assertions (RFC 7523 section 3).</summary>
internal sealed class ClientKey
{
    private const int MinRsaBits = 2048;
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(1);
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly SigningCredentials _credentials;
    private readonly Dictionary<string, object>? _header;

    private ClientKey(SecurityKey key, string algorithm, Dictionary<string, object>? header = null) =>
        (_credentials, _header) = (
            new SigningCredentials(key, algorithm)
            {
                CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
            },
            header
        );

    /// <summary>Reads a private key in PEM: RSA of at least 2048 bits, or P-256, P-384 or P-521.</summary>
    /// <exception cref="Exception">The file is no such key. It is an IO, argument or cryptography exception.</exception>
    public static ClientKey FromPem(string path)
    {
        var pem = File.ReadAllText(path);
        try
        {
            var ec = ECDsa.Create();
            ec.ImportFromPem(pem);
            return Of(ec);
        }
        catch (Exception other) when (other is CryptographicException or ArgumentException)
        {
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return Of(rsa);
        }
    }

    /// <summary>
    /// Takes a certificate's key. The header names the certificate by <c>x5t#S256</c> (RFC 7515 section 4.1.8), and by <c>x5t</c> (section
    /// 4.1.7) for servers that know only that.
    /// </summary>
    public static ClientKey FromCertificate(X509Certificate2 certificate)
    {
        var header = new Dictionary<string, object>
        {
            ["x5t#S256"] = Base64Url.EncodeToString(certificate.GetCertHash(HashAlgorithmName.SHA256)),
            ["x5t"] = Base64Url.EncodeToString(certificate.GetCertHash()),
        };
        return certificate.GetECDsaPrivateKey() is { } ec ? Of(ec, header)
            : certificate.GetRSAPrivateKey() is { } rsa ? Of(rsa, header)
            : throw new ArgumentException("The certificate has no private key.");
    }

    /// <summary>Creates an assertion of the client that is valid for one minute and one use.</summary>
    public string Assertion(string clientId, string audience, TimeProvider time)
    {
        var now = time.GetUtcNow();
        return Handler.CreateToken(
            new SecurityTokenDescriptor
            {
                Claims = new Dictionary<string, object>
                {
                    ["iss"] = clientId,
                    ["sub"] = clientId,
                    ["aud"] = audience,
                    ["jti"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
                    ["iat"] = now.ToUnixTimeSeconds(),
                    ["nbf"] = now.ToUnixTimeSeconds(),
                    ["exp"] = (now + Life).ToUnixTimeSeconds(),
                },
                AdditionalHeaderClaims = _header,
                SigningCredentials = _credentials,
            }
        );
    }

    private static ClientKey Of(RSA rsa, Dictionary<string, object>? header = null) =>
        rsa.KeySize < MinRsaBits
            ? throw new ArgumentException($"The key has fewer than {MinRsaBits} bits.")
            : new(new RsaSecurityKey(rsa), SecurityAlgorithms.RsaSha256, header);

    private static ClientKey Of(ECDsa ec, Dictionary<string, object>? header = null) =>
        new(
            new ECDsaSecurityKey(ec),
            ec.KeySize switch
            {
                256 => SecurityAlgorithms.EcdsaSha256,
                384 => SecurityAlgorithms.EcdsaSha384,
                521 => SecurityAlgorithms.EcdsaSha512,
                _ => throw new ArgumentException("The key is on no curve that signs tokens."),
            },
            header
        );
}
