using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>
/// A certificate in PEM or PKCS#12 files: <c>Upstreams:&lt;name&gt;:ClientCertificate</c>, which the gateway presents, and
/// <c>:ServerCa</c>.
/// </summary>
[Settings("Upstreams:<name>")]
public sealed record CertificateOptions
{
    /// <summary>PEM certificate, or PKCS#12 with <c>.pfx</c> or <c>.p12</c>.</summary>
    [Setting(
        Key = "ClientCertificate:Path",
        Range = "a readable certificate with its private key",
        Default = "none",
        Meaning = "File of the client certificate that the gateway presents (mTLS): PEM, or PKCS#12 as `.pfx` or `.p12`."
    )]
    [Setting(
        Key = "ServerCa:Path",
        Range = "a readable certificate",
        Default = "the machine's authorities",
        Meaning = "File of the certificate authority to which the service's certificate must chain."
    )]
    public required string Path { get; init; }

    /// <summary>File of the private key (PEM), if <see cref="Path"/> does not contain it.</summary>
    [Setting(Key = "ClientCertificate:KeyPath", Range = "the certificate's private key", Default = "none")]
    public string? KeyPath { get; init; }

    /// <summary>Password of the PKCS#12 file or of the encrypted key.</summary>
    [Setting(Key = "ClientCertificate:Password", Range = "the password of the certificate's private key", Default = "none")]
    public string? Password { get; init; }

    /// <summary>Takes the values of the section without reading the files.</summary>
    internal static CertificateOptions Of(IConfigurationSection section) =>
        new()
        {
            Path = section["Path"] ?? "",
            KeyPath = section["KeyPath"],
            Password = section["Password"],
        };

    /// <summary>Reads the section and adds a mistake when its files cannot be read; null when the section is absent.</summary>
    internal static CertificateOptions? Read(IConfigurationSection section, bool needsKey, ConfigurationMistakes mistakes)
    {
        if (!section.Exists())
        {
            return null;
        }

        var options = Of(section);
        try
        {
            using var loaded = needsKey ? TransportSecurity.Load(options) : X509CertificateLoader.LoadCertificateFromFile(options.Path);
        }
        catch (Exception unreadable)
            when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            foreach (var part in (string[])["Path", "KeyPath", "Password"])
            {
                if (part == "Path" || section[part] is not null)
                {
                    mistakes.Add(
                        section,
                        part,
                        "does not give a readable certificate"
                            + (needsKey ? " with its private key. Check Path, KeyPath and Password." : ". Check the file.")
                    );
                }
            }
        }

        return options;
    }
}
