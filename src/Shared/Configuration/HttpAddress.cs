using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>Reads addresses from the configuration.</summary>
internal static class HttpAddress
{
    /// <summary>
    /// Reads an address that secrets, tokens or keys are sent to. Returns null and adds a mistake when the text is not an address. Also
    /// adds a mistake when https is required and missing.
    /// </summary>
    /// <param name="section">The section that contains the key.</param>
    /// <param name="key">The key that the mistake names.</param>
    /// <param name="text">The address, which may be derived from the key's value.</param>
    /// <param name="insecure">What is wrong with http and how to correct it; null when http is allowed.</param>
    /// <param name="mistakes">Collects the mistakes that are found.</param>
    public static Uri? Parse(IConfigurationSection section, string key, string? text, string? insecure, ConfigurationMistakes mistakes)
    {
        if (
            !Uri.TryCreate(text, UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp)
        )
        {
            mistakes.Add(section, key, "is not an absolute http or https address. Write one such as https://login.example.com.");
            return null;
        }

        if (insecure is not null && address.Scheme != Uri.UriSchemeHttps)
        {
            mistakes.Add(section, key, insecure);
        }

        return address;
    }

    /// <summary>Reads the base address of a service or of a name to look up. Returns null and adds a mistake when there is none.</summary>
    public static Uri? OfService(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        if (
            Uri.TryCreate(section.Value, UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https" or "https+http" or "http+https"
            && uri.Query.Length == 0
            && uri.UserInfo.Length == 0
        )
        {
            return uri.AbsoluteUri.EndsWith('/') ? uri : new Uri(uri.AbsoluteUri + "/");
        }

        mistakes.Add(
            section.Path,
            "is missing or not an address. Write an absolute http or https address, or one such as "
                + "https+http://orders, without user info or query."
        );
        return null;
    }
}
