using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Callers;

/// <summary><c>Authentication:Introspection</c>: who is asked about opaque tokens (RFC 7662).</summary>
/// <param name="Endpoint">The introspection endpoint.</param>
/// <param name="ClientId">This gateway's client id there.</param>
/// <param name="ClientSecret">And its secret.</param>
/// <param name="Timeout">How long the endpoint may take.</param>
internal sealed record IntrospectionSettings(Uri Endpoint, string ClientId, string ClientSecret, TimeSpan Timeout)
{
    /// <summary>Null when the section is absent.</summary>
    public static IntrospectionSettings? Parse(IConfigurationSection section, bool requireHttps, ConfigurationMistakes mistakes)
    {
        if (!section.Exists())
        {
            return null;
        }

        if (!Uri.TryCreate(section["Endpoint"], UriKind.Absolute, out var endpoint) || (endpoint.Scheme != Uri.UriSchemeHttps && endpoint.Scheme != Uri.UriSchemeHttp))
        {
            mistakes.Add(section, "Endpoint", "is not an absolute http(s) address.");
        }
        else if (requireHttps && endpoint.Scheme != Uri.UriSchemeHttps)
        {
            mistakes.Add(section, "Endpoint", "is not https: tokens would travel readable. Use https, or Authentication:Schemes:Bearer:RequireHttpsMetadata=false in development.");
        }

        foreach (var key in (string[])["ClientId", "ClientSecret"])
        {
            if (string.IsNullOrEmpty(section[key]))
            {
                mistakes.Add(section, key, "is missing: the introspection endpoint must know who asks (RFC 7662 section 2.1).");
            }
        }

        var timeout = mistakes.Read(section, "Timeout", TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(30));
        return new IntrospectionSettings(endpoint!, section["ClientId"] ?? "", section["ClientSecret"] ?? "", timeout);
    }
}
