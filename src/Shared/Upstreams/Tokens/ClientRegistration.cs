using Bff.Callers.Clients;
using Bff.Callers.Providers;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Upstreams.Tokens;

/// <summary>
/// <c>Clients:&lt;name&gt;</c>: the gateway as a client of an authorization server. Equal registrations mean that nothing changed on a
/// reload.
/// </summary>
[Settings("Clients:<name>")]
internal sealed record ClientRegistration
{
    /// <summary>The name in <c>Upstreams:&lt;name&gt;:Token:Client</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Kind of authorization server. `Entra` over https is called through Microsoft.Identity.Web.</summary>
    [Setting]
    public ProviderType Type { get; init; }

    /// <summary>Address of the authorization server. Its discovery document names the token endpoint.</summary>
    [Setting(Range = ProviderSettings.HttpAddress, Default = "none; required unless `TokenEndpoint` is set")]
    public Uri? Authority { get; init; }

    /// <summary>Address of the token endpoint, instead of the one that `Authority` names.</summary>
    [Setting(Range = ProviderSettings.HttpAddress, Default = "from the discovery document")]
    public Uri? TokenEndpoint { get; init; }

    /// <summary>Whether the token endpoint must use https. Set <c>false</c> in development only.</summary>
    [Setting]
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>The gateway's client id at the authorization server.</summary>
    [Setting(Range = "text that is not empty", Default = "none; required")]
    public string ClientId { get; init; } = "";

    /// <summary>The gateway's client secret, unless it authenticates with a certificate or a private key.</summary>
    [Setting(Default = "none; one of secret, certificate and private key is required")]
    public string? ClientSecret { get; init; }

    /// <summary>How the gateway authenticates at the token endpoint.</summary>
    [Setting(Default = "`Basic`; `PrivateKeyJwt` with a certificate or private key")]
    public ClientAuthentication ClientAuthentication { get; init; }

    /// <summary>Signs the gateway's assertions.</summary>
    [Setting(
        Key = "PrivateKey:Path",
        Range = "a readable private key, PEM",
        Default = "none",
        Meaning = "File of the private key that signs the gateway's assertions (RFC 7523)."
    )]
    public string? PrivateKeyPath { get; init; }

    /// <summary>The same, with the certificate named in the assertion's header.</summary>
    [Setting(
        Key = "Certificate:Path",
        Range = "a readable certificate with its private key",
        Default = "none",
        Meaning = "File of the certificate whose key signs the gateway's assertions: PEM, or PKCS#12 as `.pfx` or `.p12`."
    )]
    [Setting(
        Key = "Certificate:KeyPath",
        Range = "the certificate's private key",
        Default = "none",
        Meaning = "File of the certificate's private key, if `Path` does not contain it."
    )]
    [Setting(
        Key = "Certificate:Password",
        Range = "the password of the certificate's private key",
        Default = "none",
        Meaning = "Password of the PKCS#12 file or of the encrypted key."
    )]
    public CertificateOptions? Certificate { get; init; }

    /// <summary>How the gateway proves itself at Entra without a secret or a file, in order of preference.</summary>
    [Setting(
        Key = "ClientCredentials:<n>:SourceType",
        Range = "a source that Microsoft.Identity.Web documents, with the other members of that source",
        Default = "none",
        Meaning = "For `Type: Entra`: source of the gateway's credential, such as `SignedAssertionFromManagedIdentity` "
            + "or `SignedAssertionFilePath`. It may be a managed identity, a federated credential or a certificate "
            + "in a vault or store."
    )]
    public EquatableList<KeyValuePair<string, string?>> ClientCredentials { get; init; } = new([]);

    /// <summary>Timeout of a call to the token endpoint.</summary>
    [Setting(Min = "00:00:00.050", Max = "00:00:30")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Whether Microsoft.Identity.Web is used. It accepts https only; a development stand-in is treated like any other server.
    /// </summary>
    public bool IsEntra => Type == ProviderType.Entra && Authority?.Scheme == Uri.UriSchemeHttps;

    /// <summary>Reads the key files; returns null if there are none.</summary>
    public ClientKey? LoadKey() =>
        Certificate is not null ? ClientKey.FromCertificate(TransportSecurity.Load(Certificate))
        : PrivateKeyPath is not null ? ClientKey.FromPem(PrivateKeyPath)
        : null;
}

/// <summary>All registrations by name; immutable.</summary>
internal sealed record ClientRegistrations(IReadOnlyDictionary<string, ClientRegistration> All)
{
    /// <summary>Reads and checks the section <c>Clients</c>.</summary>
    public static ClientRegistrations Parse(IConfiguration configuration, ConfigurationMistakes mistakes) =>
        new(
            configuration
                .GetSection("Clients")
                .GetChildren()
                .ToDictionary(s => s.Key, s => ParseOne(s, mistakes), StringComparer.OrdinalIgnoreCase)
        );

    private static ClientRegistration ParseOne(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        var read = mistakes.Bind(section, new ClientRegistration { Name = section.Key });
        var certificate = section.GetSection("Certificate");
        read = read with
        {
            Authority = Address(section, "Authority", read.RequireHttpsMetadata, mistakes),
            TokenEndpoint = Address(section, "TokenEndpoint", read.RequireHttpsMetadata, mistakes),
            ClientId = section["ClientId"] ?? "",
            PrivateKeyPath = section["PrivateKey:Path"] is { Length: > 0 } path ? path : null,
            Certificate = certificate.Exists() ? CertificateOptions.Of(certificate) : null,
            ClientCredentials = new([
                .. section.GetSection("ClientCredentials").AsEnumerable(makePathsRelative: true).Where(c => c.Value is not null),
            ]),
        };
        if (
            string.IsNullOrEmpty(section["Authority"])
            && (string.IsNullOrEmpty(section["TokenEndpoint"]) || read.Type == ProviderType.Entra)
        )
        {
            mistakes.Add(
                section,
                "Authority",
                "is missing. Set it to the address of the authorization server that issues the tokens, or set TokenEndpoint."
            );
        }

        if (string.IsNullOrWhiteSpace(read.ClientId))
        {
            mistakes.Add(section, "ClientId", "is missing. Set it to the gateway's client id at the authorization server.");
        }

        return CheckProof(section, read, mistakes);
    }

    private static ClientRegistration CheckProof(IConfigurationSection section, ClientRegistration read, ConfigurationMistakes mistakes)
    {
        var hasKey = read.Certificate is not null || read.PrivateKeyPath is not null;
        var proofs = new[]
        {
            read.ClientSecret is { Length: > 0 },
            read.Certificate is not null,
            read.PrivateKeyPath is not null,
            read.ClientCredentials.Count > 0,
        }.Count(p => p);
        if (proofs != 1)
        {
            mistakes.Add(
                section,
                "ClientSecret",
                proofs == 0
                    ? "is missing, and so are Certificate and PrivateKey. Set one of them: the gateway must "
                        + "authenticate at the authorization server. Keep the secret out of files."
                    : "is set beside another credential of the gateway. Keep only one of ClientSecret, "
                        + "Certificate, PrivateKey and ClientCredentials."
            );
        }

        CheckEntra(section, read, mistakes);

        if (
            section["ClientAuthentication"] is { Length: > 0 }
            && hasKey != (read.ClientAuthentication == ClientAuthentication.PrivateKeyJwt)
        )
        {
            mistakes.Add(
                section,
                "ClientAuthentication",
                hasKey
                    ? "must be PrivateKeyJwt, because a certificate or private key is set."
                    : "is PrivateKeyJwt, which needs PrivateKey:Path or Certificate:Path."
            );
        }

        if (hasKey)
        {
            try
            {
                read.LoadKey();
            }
            catch (Exception unreadable)
                when (unreadable
                        is IOException
                            or UnauthorizedAccessException
                            or ArgumentException
                            or System.Security.Cryptography.CryptographicException
                )
            {
                foreach (var part in (string[])["PrivateKey:Path", "Certificate:Path", "Certificate:KeyPath", "Certificate:Password"])
                {
                    if (section[part] is not null)
                    {
                        mistakes.Add(
                            section,
                            part,
                            "does not give a readable private key. Use an RSA key of at least 2048 bits or an elliptic curve key."
                        );
                    }
                }
            }
        }

        return read with
        {
            ClientAuthentication = hasKey ? ClientAuthentication.PrivateKeyJwt : read.ClientAuthentication,
        };
    }

    private static void CheckEntra(IConfigurationSection section, ClientRegistration read, ConfigurationMistakes mistakes)
    {
        if (read.Type == ProviderType.Entra && read.PrivateKeyPath is not null)
        {
            mistakes.Add(
                section,
                "PrivateKey:Path",
                "is a key without a certificate, which Entra does not accept. Use Certificate instead."
            );
        }

        foreach (var credential in section.GetSection("ClientCredentials").GetChildren())
        {
            if (!read.IsEntra)
            {
                mistakes.Add(
                    credential,
                    "SourceType",
                    "is only for Entra over https. Set Type to Entra, or use ClientSecret, Certificate or PrivateKey."
                );
            }
            else if (!EntraCredentials.IsSource(credential["SourceType"]))
            {
                mistakes.Add(
                    credential,
                    "SourceType",
                    "is not a source of credentials that Microsoft.Identity.Web knows. Use one such as SignedAssertionFromManagedIdentity."
                );
            }
        }
    }

    private static Uri? Address(IConfigurationSection section, string key, bool https, ConfigurationMistakes mistakes) =>
        section[key] is not { Length: > 0 } text
            ? null
            : HttpAddress.Parse(
                section,
                key,
                text,
                https
                    ? "is not https: secrets and tokens would be sent unencrypted. Use https, or RequireHttpsMetadata=false in development."
                    : null,
                mistakes
            );
}
