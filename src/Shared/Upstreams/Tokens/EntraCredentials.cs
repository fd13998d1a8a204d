using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Identity.Abstractions;

namespace Bff.Upstreams.Tokens;

/// <summary>How the gateway proves itself at Entra, as Microsoft.Identity.Web takes it.</summary>
internal static class EntraCredentials
{
    /// <summary>In order of preference.</summary>
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

    /// <summary>Whether Microsoft.Identity.Web has such a source.</summary>
    public static bool IsSource(string? name) =>
        Enum.TryParse<CredentialSource>(name, ignoreCase: true, out var source) && Enum.IsDefined(source);
}
