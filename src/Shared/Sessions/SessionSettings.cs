using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Sessions;

/// <summary>Section <c>Session</c>: the provider at which browsers sign in, and how long their sessions live.</summary>
internal sealed record SessionSettings
{
    private const string DefaultScopes = "openid profile email api offline_access";

    /// <summary>The provider's issuer; its discovery document is below it.</summary>
    public required string Authority { get; init; }

    public required string ClientId { get; init; }

    public required string ClientSecret { get; init; }

    /// <summary>Separated by spaces.</summary>
    public required string Scopes { get; init; }

    public required bool RequireHttpsMetadata { get; init; }

    /// <summary>A session ends after this long without a request. Default 30 min.</summary>
    public required TimeSpan IdleTimeout { get; init; }

    /// <summary>A session ends this long after its sign-in, whatever happens. Default 8 h.</summary>
    public required TimeSpan AbsoluteTimeout { get; init; }

    /// <summary>An access token is refreshed this long before its end, or in the second half of its life if that is later. Default 1 min.</summary>
    public required TimeSpan RefreshBefore { get; init; }

    public static SessionSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var section = configuration.GetSection("Session");
        var https = mistakes.Read(section, "RequireHttpsMetadata", true);
        var idle = mistakes.Read(section, "IdleTimeout", TimeSpan.FromMinutes(30), TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        var absolute = mistakes.Read(section, "AbsoluteTimeout", TimeSpan.FromHours(8), TimeSpan.FromSeconds(1), TimeSpan.FromDays(90));
        return new SessionSettings
        {
            Authority = ReadAuthority(section, https, mistakes),
            ClientId = Required(section, "ClientId", "The provider knows this host by it.", mistakes),
            ClientSecret = Required(section, "ClientSecret", "The host is a confidential client; keep the secret out of files.", mistakes),
            Scopes = ReadScopes(section, mistakes),
            RequireHttpsMetadata = https,
            IdleTimeout = idle,
            AbsoluteTimeout = absolute,
            RefreshBefore = mistakes.Read(section, "RefreshBefore", TimeSpan.FromMinutes(1), TimeSpan.Zero, TimeSpan.FromHours(1)),
        };
    }

    private static string ReadAuthority(IConfigurationSection section, bool https, ConfigurationMistakes mistakes)
    {
        var text = Required(section, "Authority", "Browsers sign in there.", mistakes).TrimEnd('/');
        if (text.Length > 0 && (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http")))
        {
            mistakes.Add(section, "Authority", "is not an address. Write the issuer, such as https://login.example.com.");
        }
        else if (https && text.StartsWith("http:", StringComparison.OrdinalIgnoreCase))
        {
            mistakes.Add(section, "Authority", "is not https. Use https, or set Session:RequireHttpsMetadata to false in development.");
        }

        return text;
    }

    private static string ReadScopes(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        var listed = section.GetSection("Scopes").GetChildren().Select(c => c.Value).OfType<string>().ToList();
        var scopes = listed.Count > 0 ? string.Join(' ', listed) : section["Scopes"] ?? DefaultScopes;
        if (!scopes.Split(' ').Contains("openid"))
        {
            mistakes.Add(section, "Scopes", "lacks openid: without it the provider gives no id_token.");
        }

        return scopes;
    }

    private static string Required(IConfigurationSection section, string key, string why, ConfigurationMistakes mistakes)
    {
        if (string.IsNullOrWhiteSpace(section[key]))
        {
            mistakes.Add(section, key, "is missing. " + why);
        }

        return section[key] ?? "";
    }
}
