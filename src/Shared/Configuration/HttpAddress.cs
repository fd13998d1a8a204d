using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>Addresses in the configuration.</summary>
internal static class HttpAddress
{
    /// <summary>
    /// An address that secrets, tokens or keys travel to; null, and a mistake, where the text is none. One that is not https is a mistake
    /// too, where it must be.
    /// </summary>
    /// <param name="section">Where it stands.</param>
    /// <param name="key">The key that is to be corrected.</param>
    /// <param name="text">The text, which may be made of the key's value.</param>
    /// <param name="insecure">What is wrong with http, and how it is cured; null: nothing is.</param>
    /// <param name="mistakes">Collects them.</param>
    public static Uri? Parse(IConfigurationSection section, string key, string? text, string? insecure, ConfigurationMistakes mistakes)
    {
        if (
            !Uri.TryCreate(text, UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp)
        )
        {
            mistakes.Add(section, key, "is not an absolute http(s) address.");
            return null;
        }

        if (insecure is not null && address.Scheme != Uri.UriSchemeHttps)
        {
            mistakes.Add(section, key, insecure);
        }

        return address;
    }

    /// <summary>The base address of a service, or of a name to look up; null, and a mistake, where the section has none.</summary>
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

        mistakes.Add(section.Path, "needs an absolute http or https address, or such as https+http://orders, without user info or query.");
        return null;
    }
}
