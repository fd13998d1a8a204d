using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Bff.State;

/// <summary><c>State:Redis</c>: what a connection to Redis needs beside its address.</summary>
[Settings("State:Redis")]
internal sealed record RedisAccess
{
    private string? _address;

    /// <summary>
    /// A file with the user's password, in place of the one in the address; it is read again when it changes, without a restart.
    /// </summary>
    [Setting(Range = "a readable file with text", Default = "none")]
    public string? PasswordFile { get; init; }

    /// <summary>What the server's certificate must chain to.</summary>
    [Setting(
        Key = "ServerCa:Path",
        Range = "a readable certificate; with TLS in the address",
        Default = "the machine's authorities",
        Meaning = "What the server's certificate must chain to."
    )]
    public CertificateOptions? ServerCa { get; init; }

    /// <summary>What the gateway presents (mTLS).</summary>
    [Setting(
        Key = "ClientCertificate:Path",
        Range = "a readable certificate with its private key; with TLS in the address",
        Default = "none",
        Meaning = "What the gateway presents (mTLS): PEM, or PKCS#12 with `.pfx` or `.p12`."
    )]
    [Setting(
        Key = "ClientCertificate:KeyPath",
        Range = "the certificate's private key",
        Default = "none",
        Meaning = "PEM private key, when not in `Path`."
    )]
    [Setting(
        Key = "ClientCertificate:Password",
        Range = "what opens the certificate's private key",
        Default = "none",
        Meaning = "Of the PKCS#12 file or the encrypted key."
    )]
    public CertificateOptions? ClientCertificate { get; init; }

    /// <summary>Null where no Redis is configured.</summary>
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

    /// <summary>The file's text as it is now; null: there is none, or it cannot be read.</summary>
    public string? Password()
    {
        try
        {
            return PasswordFile is { } file && File.ReadAllText(file).TrimEnd('\r', '\n') is { Length: > 0 } password ? password : null;
        }
        catch (Exception unreadable)
            when (unreadable is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return null; // It is being exchanged; the next look finds it.
        }
    }

    /// <summary>For a new connection: certificates are read anew.</summary>
    /// <param name="password">What the file says; null: what the address says.</param>
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
