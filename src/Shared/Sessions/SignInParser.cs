using System.Collections.Frozen;
using System.Security.Cryptography;
using Bff.Callers.Clients;
using Bff.Configuration;
using Bff.Sessions.SignIn;
using Microsoft.Extensions.Configuration;

namespace Bff.Sessions;

/// <summary>Reads and checks the sign-in settings of <c>Session</c>.</summary>
internal static class SignInParser
{
    private static readonly string[] MayBeHandedThrough = ["login_hint", "prompt", "ui_locales", "acr_values", "max_age"];

    private static readonly string[] Own =
    [
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
    ];

    public static ClientKey? PrivateKey(IConfigurationSection section, ClientAuthentication authentication, ConfigurationMistakes mistakes)
    {
        var path = section["PrivateKey:Path"];
        if (authentication != ClientAuthentication.PrivateKeyJwt)
        {
            if (!string.IsNullOrEmpty(path))
            {
                mistakes.Add(
                    section,
                    "PrivateKey:Path",
                    "is set, but the host does not use it. Set ClientAuthentication to PrivateKeyJwt, or remove the key."
                );
            }

            return null;
        }

        if (string.IsNullOrEmpty(path))
        {
            mistakes.Add(section, "PrivateKey:Path", "is missing, and PrivateKeyJwt needs it. Set it to the path of a private key in PEM.");
            return null;
        }

        try
        {
            return ClientKey.FromPem(path);
        }
        catch (Exception unreadable)
            when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            mistakes.Add(
                section,
                "PrivateKey:Path",
                "does not give a readable private key. Use an RSA key of at least 2048 bits or an elliptic curve key."
            );
            return null;
        }
    }

    public static FrozenDictionary<string, string> AuthorizeParameters(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        foreach (var own in section.GetChildren().Where(p => Own.Contains(p.Key, StringComparer.OrdinalIgnoreCase)))
        {
            mistakes.Add(own.Path, "is a parameter that the sign-in itself sends. Remove it. Scopes are set in Session:Scopes.");
        }

        return section.GetChildren().Where(p => p.Value is not null).ToFrozenDictionary(p => p.Key, p => p.Value!, StringComparer.Ordinal);
    }

    /// <summary>Reads the home address. Null if none is configured, in which case the host decides.</summary>
    public static string? Home(IConfigurationSection section, IReadOnlyList<string> origins, ConfigurationMistakes mistakes)
    {
        if (section["Home"] is not { Length: > 0 } home)
        {
            return origins.Count > 0 ? origins[0] + "/" : null;
        }

        if (ReturnUrl.Of(home, origins) is { } address)
        {
            return address;
        }

        mistakes.Add(
            section,
            "Home",
            $"'{home}' is not a page to return to. Write a path of this host, such as /app, or an address below "
                + "one of Session:ReturnOrigins."
        );
        return null;
    }

    public static IReadOnlyList<string> LoginParameters(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        string[] names = [.. Values(section).Select(v => v.Value)];
        foreach (var (path, _) in Values(section).Where(v => !MayBeHandedThrough.Contains(v.Value)))
        {
            mistakes.Add(
                path,
                "is not a parameter that the sign-in can pass on. Use any of " + string.Join(", ", MayBeHandedThrough) + "."
            );
        }

        return names;
    }

    /// <summary>
    /// Reads the origins to which a browser may be sent. Each must also be a CORS origin; otherwise the list would be an open redirector.
    /// </summary>
    public static IReadOnlyList<string> ReturnOrigins(
        IConfiguration configuration,
        IConfigurationSection section,
        ConfigurationMistakes mistakes
    )
    {
        var readers = configuration
            .GetSection("Cors:Origins")
            .GetChildren()
            .Select(o => o.Value?.TrimEnd('/'))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var origins = new List<string>();
        foreach (var (path, value) in Values(section))
        {
            var isOrigin =
                Uri.TryCreate(value, UriKind.Absolute, out var uri)
                && uri.Scheme is "https" or "http"
                && uri is { PathAndQuery: "/", Fragment: "", UserInfo: "" };
            if (!isOrigin || !readers.Contains(value.TrimEnd('/')))
            {
                mistakes.Add(
                    path,
                    isOrigin
                        ? "is not in Cors:Origins. Add it there too, or remove it."
                        : "is not an origin. Write scheme, host and port only, such as https://app.example.com."
                );
                continue;
            }

            origins.Add(uri!.GetLeftPart(UriPartial.Authority));
        }

        return origins;
    }

    private static IEnumerable<(string Path, string Value)> Values(IConfigurationSection section) =>
        (section.Value is { } ? [section] : section.GetChildren())
            .Where(c => !string.IsNullOrEmpty(c.Value))
            .Select(c => (c.Path, c.Value!));
}
