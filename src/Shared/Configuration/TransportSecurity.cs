using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Bff.Configuration;

/// <summary>Configures TLS and mTLS for connections to a service or a store.</summary>
internal static class TransportSecurity
{
    /// <summary>Reads the certificate files; null when there are none.</summary>
    /// <param name="clientCertificate">The certificate that the gateway presents.</param>
    /// <param name="serverCa">The authority that the other side's certificate must chain to, instead of the machine's authorities.</param>
    public static SslClientAuthenticationOptions? From(CertificateOptions? clientCertificate, CertificateOptions? serverCa)
    {
        if (clientCertificate is null && serverCa is null)
        {
            return null;
        }

        var ssl = new SslClientAuthenticationOptions();
        if (clientCertificate is { } client)
        {
            ssl.ClientCertificateContext = SslStreamCertificateContext.Create(Load(client), additionalCertificates: null, offline: true);
        }

        if (serverCa is { } authority)
        {
            ssl.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            ssl.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authority.Path);
        }

        return ssl;
    }

    /// <summary>Loads a certificate with its private key.</summary>
    public static X509Certificate2 Load(CertificateOptions options)
    {
        if (Path.GetExtension(options.Path).ToUpperInvariant() is ".PFX" or ".P12")
        {
            return X509CertificateLoader.LoadPkcs12FromFile(options.Path, options.Password);
        }

        return options.Password is { } password
            ? X509Certificate2.CreateFromEncryptedPemFile(options.Path, password, options.KeyPath)
            : X509Certificate2.CreateFromPemFile(options.Path, options.KeyPath);
    }
}
