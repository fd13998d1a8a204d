using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bff.TestKit;

/// <summary>A new certificate authority, with its files in a folder of its own.</summary>
public sealed class TestAuthority : IDisposable
{
    private const string Password = "test";
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-tls-").FullName;
    private readonly X509Certificate2 _authority;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(2));
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
    }

    /// <summary>Path of the authority's certificate, PEM.</summary>
    public string AuthorityFile => Path.Combine(_folder, "ca.pem");

    /// <summary>Issues a certificate for 127.0.0.1 and localhost: PEM files of certificate and key, and a PKCS#12 with both.</summary>
    public IssuedCertificate Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false)
        );
        using var bare = request.Create(
            _authority,
            DateTimeOffset.UtcNow.AddMinutes(-5),
            DateTimeOffset.UtcNow.AddHours(1),
            RandomNumberGenerator.GetBytes(8)
        );
        using var whole = bare.CopyWithPrivateKey(key);

        var issued = new IssuedCertificate(
            Path.Combine(_folder, name + ".pem"),
            Path.Combine(_folder, name + ".key"),
            Path.Combine(_folder, name + ".pfx"),
            Password
        );
        File.WriteAllText(issued.CertificateFile, whole.ExportCertificatePem());
        File.WriteAllText(issued.KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllBytes(issued.Pkcs12File, whole.Export(X509ContentType.Pkcs12, Password));
        return issued;
    }

    /// <summary>Whether this authority issued the certificate.</summary>
    public bool Issued(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        return chain.Build(certificate);
    }

    /// <summary>Returns a handler for a client that trusts only this authority.</summary>
    public SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) =>
            presented is X509Certificate2 certificate && Issued(certificate);
        return handler;
    }

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Files of a certificate and its key.</summary>
public sealed record IssuedCertificate(string CertificateFile, string KeyFile, string Pkcs12File, string Password);
