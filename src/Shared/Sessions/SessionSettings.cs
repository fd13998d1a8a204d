using Bff.Callers;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Sessions;

/// <summary>What <c>user</c> answers to somebody without a session.</summary>
internal enum AnonymousUser
{
    /// <summary>401, as everywhere.</summary>
    Unauthorized,

    /// <summary>200 and <c>null</c>.</summary>
    Null,
}

/// <summary>Section <c>Session</c>: the provider at which browsers sign in, and how long their sessions live.</summary>
[Settings("Session")]
internal sealed record SessionSettings
{
    /// <summary>The provider's issuer; its discovery document is below it.</summary>
    [Setting(Range = BearerSettings.HttpAddress, Default = "none; required")]
    public string Authority { get; init; } = "";

    /// <summary>The provider knows this host by it.</summary>
    [Setting(Range = "any text but none", Default = "none; required")]
    public string ClientId { get; init; } = "";

    /// <summary>The host is a confidential client.</summary>
    [Setting(Range = "any text but none", Default = "none; required")]
    public string ClientSecret { get; init; } = "";

    /// <summary>What is asked of the provider.</summary>
    [Setting(Range = "names separated by spaces, `openid` among them")]
    public string Scopes { get; init; } = "openid profile email api offline_access";

    /// <summary>Whether the authority must be https; <c>false</c> in development only.</summary>
    [Setting]
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>A session ends after this long without a request.</summary>
    [Setting(Min = "00:00:01", Max = "30.00:00:00")]
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>A session ends this long after its sign-in, whatever happens.</summary>
    [Setting(Min = "00:00:01", Max = "90.00:00:00")]
    public TimeSpan AbsoluteTimeout { get; init; } = TimeSpan.FromHours(8);

    /// <summary>An access token is refreshed this long before its end, or in the second half of its life if that is later.</summary>
    [Setting(Min = "00:00:00", Max = "01:00:00")]
    public TimeSpan RefreshBefore { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What the user resource answers without a session: 401, or 200 and `null`, so that an app's first page logs no error.</summary>
    [Setting]
    public AnonymousUser AnonymousUser { get; init; }

    public static SessionSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var section = configuration.GetSection("Session");
        var read = mistakes.Bind(section, new SessionSettings());
        return read with
        {
            Authority = ReadAuthority(section, read.RequireHttpsMetadata, mistakes),
            ClientId = Required(section, "ClientId", "The provider knows this host by it.", mistakes),
            ClientSecret = Required(section, "ClientSecret", "The host is a confidential client; keep the secret out of files.", mistakes),
            Scopes = ReadScopes(section, read.Scopes, mistakes),
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

    private static string ReadScopes(IConfigurationSection section, string fallback, ConfigurationMistakes mistakes)
    {
        var listed = section.GetSection("Scopes").GetChildren().Select(c => c.Value).OfType<string>().ToList();
        var scopes = listed.Count > 0 ? string.Join(' ', listed) : section["Scopes"] ?? fallback;
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
