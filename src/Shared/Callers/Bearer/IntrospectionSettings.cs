using Bff.Callers.Providers;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Callers.Bearer;

/// <summary>Settings of section <c>Authentication:Introspection</c>: the endpoint that is asked about opaque tokens (RFC 7662).</summary>
[Settings("Authentication:Introspection", AtStart = true)]
internal sealed record IntrospectionSettings
{
    /// <summary>Address of the introspection endpoint (RFC 7662). If it is set, opaque tokens are accepted.</summary>
    [Setting(Range = ProviderSettings.HttpAddress, Default = "none")]
    public required Uri Endpoint { get; init; }

    /// <summary>The gateway's client id at the introspection endpoint.</summary>
    [Setting(Range = "any text", Default = "none; required with `Endpoint`")]
    public required string ClientId { get; init; }

    /// <summary>The gateway's client secret at the introspection endpoint.</summary>
    [Setting(Range = "any text", Default = "none; required with `Endpoint`")]
    public required string ClientSecret { get; init; }

    /// <summary>
    /// Only the tokens of these clients (<c>client_id</c>, <c>azp</c>) are accepted, even if the endpoint's answer names no audience.
    /// </summary>
    [Setting(Key = "AllowedClients:<n>", Range = "any text", Default = "any client; an answer without `aud` is refused")]
    public IReadOnlyList<string> AllowedClients { get; init; } = [];

    /// <summary>Timeout of a call to the endpoint.</summary>
    [Setting(Min = "00:00:00.050", Max = "00:00:30")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a token that the endpoint reported as inactive is refused without another call.</summary>
    [Setting(Min = "00:00:00", Max = "00:05:00")]
    public TimeSpan NegativeCache { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Reads the section; null when it is absent.</summary>
    public static IntrospectionSettings? Parse(IConfigurationSection section, bool requireHttps, ConfigurationMistakes mistakes)
    {
        if (!section.Exists())
        {
            return null;
        }

        var endpoint = HttpAddress.Parse(
            section,
            "Endpoint",
            section["Endpoint"],
            requireHttps
                ? "is not https: tokens would be sent unencrypted. Use https, or "
                    + "Authentication:Schemes:Bearer:RequireHttpsMetadata=false in development."
                : null,
            mistakes
        );
        foreach (var key in (string[])["ClientId", "ClientSecret"])
        {
            if (string.IsNullOrEmpty(section[key]))
            {
                mistakes.Add(
                    section,
                    key,
                    "is missing: the gateway must authenticate at the introspection endpoint (RFC 7662 section "
                        + "2.1). Set it as the endpoint knows the gateway."
                );
            }
        }

        return mistakes.Bind(
            section,
            new IntrospectionSettings
            {
                Endpoint = endpoint!, // A null endpoint is a mistake, and these settings are then not used.
                ClientId = section["ClientId"] ?? "",
                ClientSecret = section["ClientSecret"] ?? "",
                AllowedClients =
                [
                    .. section.GetSection("AllowedClients").GetChildren().Select(c => c.Value).OfType<string>().Where(c => c.Length > 0),
                ],
            }
        );
    }
}
