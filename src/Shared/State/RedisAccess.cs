using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>Settings under <c>State:Redis</c>: credentials and certificates of a Redis connection.</summary>
[Settings("State:Redis")]
internal sealed record RedisAccess
{
    private string? _address;

    /// <summary>
    /// File with the user's password, which replaces the password in the address. The file is read again when it changes, without a
    /// restart.
    /// </summary>
    [Setting(Range = "a readable file with text", Default = "none")]
    public string? PasswordFile { get; init; }

    /// <summary>Certificate authority that the server's certificate must chain to.</summary>
    [Setting(
        Key = "ServerCa:Path",
        Range = "a readable certificate; with TLS in the address",
        Default = "the machine's authorities",
        Meaning = "Certificate authority that the server's certificate must chain to."
    )]
    public CertificateOptions? ServerCa { get; init; }

    /// <summary>Certificate that the gateway presents (mTLS).</summary>
    [Setting(
        Key = "ClientCertificate:Path",
        Range = "a readable certificate with its private key; with TLS in the address",
        Default = "none",
        Meaning = "Certificate that the gateway presents (mTLS): PEM, or PKCS#12 with the extension `.pfx` or `.p12`."
    )]
    [Setting(
        Key = "ClientCertificate:KeyPath",
        Range = "the certificate's private key",
        Default = "none",
        Meaning = "PEM private key, if it is not in the file at `Path`."
    )]
    [Setting(
        Key = "ClientCertificate:Password",
        Range = "the password of the certificate's private key",
        Default = "none",
        Meaning = "Password of the PKCS#12 file or of the encrypted private key."
    )]
    public CertificateOptions? ClientCertificate { get; init; }

    /// <summary>Reads the settings. Returns null if no Redis is configured.</summary>
    public static RedisAccess? Of(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var section = configuration.GetSection("State:Redis");
        var access = new RedisAccess
        {
            _address = RedisAddress.Of(configuration),
            PasswordFile = section["PasswordFile"] is { Length: > 0 } file ? file : null,
            ServerCa = CertificateOptions.Read(section.GetSection("ServerCa"), needsKey: false, mistakes),
            ClientCertificate = CertificateOptions.Read(section.GetSection("ClientCertificate"), needsKey: true, mistakes),
        };
        access.Check(section, mistakes);
        return access._address is null ? null : access;
    }

    /// <summary>Reads the password file. Returns null if there is none or it cannot be read.</summary>
    public string? Password()
    {
        try
        {
            return PasswordFile is { } file && File.ReadAllText(file).TrimEnd('\r', '\n') is { Length: > 0 } password ? password : null;
        }
        catch (Exception unreadable)
            when (unreadable is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return null; // The file is being replaced; the next read succeeds.
        }
    }

    /// <summary>Creates the options of a new connection and reads the certificates again.</summary>
    /// <param name="password">Password from the file; null to use the one in the address.</param>
    public ConfigurationOptions Options(string? password)
    {
        var options = RedisAddress.Parse(_address!)!;
        options.Password = password ?? options.Password;
        if (TransportSecurity.From(ClientCertificate, ServerCa) is { } ssl)
        {
            options.SslClientAuthenticationOptions = host =>
                new()
                {
                    TargetHost = options.SslHost is { Length: > 0 } named ? named : host,
                    ClientCertificateContext = ssl.ClientCertificateContext,
                    CertificateChainPolicy = ssl.CertificateChainPolicy,
                };
        }

        return options;
    }

    private void Check(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        if (PasswordFile is not null && Password() is null)
        {
            mistakes.Add(section, "PasswordFile", "leads to no readable file with a password.");
        }

        var isPlain = _address is not null && RedisAddress.Parse(_address) is { Ssl: false };
        foreach (var key in (string[])["ServerCa:Path", "ClientCertificate:Path"])
        {
            if (isPlain && section[key] is { Length: > 0 })
            {
                mistakes.Add(
                    section,
                    key,
                    "has no effect, because ConnectionStrings:redis uses no TLS. Add ssl=true there, or write rediss://."
                );
            }
        }
    }
}
