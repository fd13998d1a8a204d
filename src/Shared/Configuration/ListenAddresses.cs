using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Bff.Configuration;

/// <summary>The addresses on which the host listens: the server's own settings <c>Urls</c> and <c>Kestrel</c>.</summary>
internal sealed class ListenAddresses
{
    private const string Prefix = "ASPNETCORE_";

    /// <summary>
    /// Makes the environment win over files for <c>ASPNETCORE_URLS</c> too. The framework reads that prefix before the files, so their
    /// <c>Urls</c> would win. The command line still has the highest precedence.
    /// </summary>
    public static void PreferEnvironment(IConfigurationBuilder configuration)
    {
        var sources = configuration.Sources;
        var environment = sources
            .OfType<EnvironmentVariablesConfigurationSource>()
            .LastOrDefault(source => string.IsNullOrEmpty(source.Prefix));
        if (environment is not null && Environment.GetEnvironmentVariable(Prefix + "URLS") is { Length: > 0 })
        {
            sources.Insert(sources.IndexOf(environment), new EnvironmentVariablesConfigurationSource { Prefix = Prefix });
        }
    }
}

/// <summary>Finds mistakes on which the server would fail during start without naming the key.</summary>
internal sealed class ListenAddressesValidator(IConfiguration configuration, IHostEnvironment environment)
    : IValidateOptions<ListenAddresses>
{
    public ValidateOptionsResult Validate(string? name, ListenAddresses options)
    {
        var mistakes = new List<string>();
        var kestrel = configuration.GetSection("Kestrel");
        var endpoints = kestrel.GetSection("Endpoints").GetChildren().ToList();
        // In Development the server uses the framework's own certificate.
        var hasCertificate = environment.IsDevelopment() || IsNamed(kestrel.GetSection("Certificates:Default"));
        foreach (var address in (configuration["Urls"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            CheckAddress("Urls", address, hasCertificate || endpoints.Count > 0); // If endpoints are configured, the server ignores Urls.
        }

        foreach (var endpoint in endpoints)
        {
            CheckAddress(
                endpoint.Path + ":Url",
                endpoint["Url"],
                hasCertificate || IsNamed(endpoint.GetSection("Certificate")) || endpoint.GetSection("Sni").GetChildren().Any()
            );
            CheckCertificate(endpoint.GetSection("Certificate"));
        }

        foreach (var certificate in kestrel.GetSection("Certificates").GetChildren())
        {
            CheckCertificate(certificate);
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);

        void CheckAddress(string key, string? address, bool canBeSecure)
        {
            try
            {
                var parsed = BindingAddress.Parse(address ?? "");
                if (CanBeBound(parsed))
                {
                    if (!canBeSecure && parsed.Scheme.Equals(Uri.UriSchemeHttps, StringComparison.OrdinalIgnoreCase))
                    {
                        mistakes.Add($"{key}: https needs a certificate. Name one in Kestrel:Certificates:Default:Path.");
                    }

                    return;
                }
            }
            catch (FormatException)
            {
                // Reported like the other addresses that the server does not accept.
            }

            mistakes.Add($"{key}: is not an address to listen on. Write scheme, address and port, such as http://0.0.0.0:8080.");
        }

        void CheckCertificate(IConfigurationSection certificate)
        {
            if (certificate["Path"] is not { Length: > 0 } path)
            {
                return;
            }

            try
            {
                using var loaded = Load(path, certificate["KeyPath"], certificate["Password"]);
            }
            catch (Exception unusable)
                when (unusable is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                mistakes.Add(
                    $"{certificate.Path}:Path: does not give a readable certificate with its private key. Check Path, KeyPath and Password."
                );
            }
        }
    }

    private static bool IsNamed(IConfigurationSection certificate) =>
        certificate["Path"] is { Length: > 0 } || certificate["Subject"] is { Length: > 0 };

    /// <summary>
    /// Whether the server can bind the address. It refuses an invalid port, a path, and port 0 with <c>localhost</c>, which stands for two
    /// addresses.
    /// </summary>
    private static bool CanBeBound(BindingAddress address) =>
        address.IsUnixPipe
        || address.IsNamedPipe
        || (
            address.Port is >= 0 and <= IPEndPoint.MaxPort
            && address.PathBase.Length == 0
            && !(address.Port == 0 && address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        );

    private static X509Certificate2 Load(string path, string? keyPath, string? password) =>
        (keyPath, password) switch
        {
            (null, _) => X509CertificateLoader.LoadPkcs12FromFile(path, password),
            (_, null) => X509Certificate2.CreateFromPemFile(path, keyPath),
            _ => X509Certificate2.CreateFromEncryptedPemFile(path, password, keyPath),
        };
}
