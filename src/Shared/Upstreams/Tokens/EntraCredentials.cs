using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Identity.Abstractions;

namespace Bff.Upstreams.Tokens;

/// <summary>Converts the gateway's credentials for Entra into the form of Microsoft.Identity.Web.</summary>
internal static class EntraCredentials
{
    /// <summary>Returns the credentials in order of preference.</summary>
    public static CredentialDescription[] Of(ClientRegistration registration)
    {
        if (registration.ClientSecret is { Length: > 0 } secret)
        {
            return [new() { SourceType = CredentialSource.ClientSecret, ClientSecret = secret }];
        }

        return registration.Certificate is { } files
            ? [new() { SourceType = CredentialSource.Certificate, Certificate = TransportSecurity.Load(files) }]
            : new ConfigurationBuilder().AddInMemoryCollection(registration.ClientCredentials).Build().Get<CredentialDescription[]>() ?? [];
    }

    /// <summary>Whether Microsoft.Identity.Web knows the source of credentials.</summary>
    public static bool IsSource(string? name) =>
        Enum.TryParse<CredentialSource>(name, ignoreCase: true, out var source) && Enum.IsDefined(source);
}
