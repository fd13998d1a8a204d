using System.Net;
using Microsoft.Extensions.Options;

namespace PartnerBff.Webhooks.Addresses;

/// <summary>
/// Validates the URL of an endpoint. Its host name is resolved and checked each time that a connection is opened.
/// </summary>
internal sealed class WebhookUrl(IOptions<WebhookOptions> options, IHostEnvironment environment)
{
    private const int MaxLength = 2048;

    /// <summary>Returns why the URL is invalid; null if it is valid.</summary>
    public string? Objection(string? text)
    {
        if (
            string.IsNullOrEmpty(text)
            || text.Length > MaxLength
            || text.Any(static c => c <= ' ' || c == '\\' || c == '\u007f')
            || !Uri.TryCreate(text, UriKind.Absolute, out var url)
            || url.Host.Length == 0
            || url.Port == 0 // Port 0 is reserved: no connection can be made to it (RFC 6335 section 6).
        )
        {
            return $"Must be an absolute URL of at most {MaxLength} characters.";
        }

        if (url.Scheme != Uri.UriSchemeHttps && !(url.Scheme == Uri.UriSchemeHttp && environment.IsDevelopment()))
        {
            return "Must begin with https://.";
        }

        var authority = text.AsSpan(text.IndexOf("//", StringComparison.Ordinal) + 2);
        authority = authority.IndexOfAny('/', '?', '#') is >= 0 and var end ? authority[..end] : authority;
        if (
            url.UserInfo.Length > 0
            || authority.Contains('@')
            || authority.Contains('%')
            || authority.ContainsAnyExceptInRange('!', '~')
            || text.Contains('#', StringComparison.Ordinal)
        )
        {
            return "Must have no user information, no fragment and no IPv6 zone. The host must be ASCII (punycode).";
        }

        if (Ports is { } ports && !ports.Contains(url.Port))
        {
            return $"Must have port {string.Join(" or ", ports)}: events are delivered to no other port.";
        }

        return options.Value.AllowPrivateNetworks || IsPlausible(url) ? null : "Must be reachable on the public internet.";
    }

    /// <summary>The allowed ports; null for any.</summary>
    private int[]? Ports =>
        options.Value.Ports is { Length: > 0 } own ? own
        : environment.IsDevelopment() || options.Value.AllowPrivateNetworks ? null
        : [443];

    private static bool IsPlausible(Uri url)
    {
        var host = url.IdnHost.TrimEnd('.');
        if (IPAddress.TryParse(host.Trim('[', ']'), out var address))
        {
            return AddressGuard.IsPublic(address); // Uri has converted every other notation into dotted decimals.
        }

        return host.Contains('.', StringComparison.Ordinal)
            && url.HostNameType == UriHostNameType.Dns
            && !host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            && !host.EndsWith(".local", StringComparison.OrdinalIgnoreCase)
            && !host.EndsWith(".internal", StringComparison.OrdinalIgnoreCase);
    }
}
