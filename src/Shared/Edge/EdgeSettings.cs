using System.Net;
using System.Text;
using Bff.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Configuration;

namespace Bff.Edge;

/// <summary>
/// Operators' settings of the edge: <c>AllowedHosts</c>, <c>PublicUrl</c>, <c>Cors:Origins</c> and <c>ForwardedHeaders:*</c>. A change of
/// the last takes effect at the next start. A mistake never leaves the host with less protection than was configured.
/// </summary>
[Settings("")]
internal sealed class EdgeSettings
{
    /// <summary>The sections that the settings are read from.</summary>
    public static readonly string[] Sections = ["AllowedHosts", "PublicUrl", "Cors", "ForwardedHeaders", "Headers"];

    /// <summary>Exact names, <c>*.example.com</c>; empty: any.</summary>
    [Setting(
        Also = "AllowedHosts:<n>",
        Range = "host names without scheme and port, separated by `;`; `*.example.com` for subdomains, `*` for any",
        Default = "any; the shipped files name some",
        Meaning = "Host names that requests may be sent to."
    )]
    public string[] AllowedHosts { get; private set; } = [];

    /// <summary>The host's public base address. Problem types, <c>Link</c> and <c>Location</c> are built from it.</summary>
    [Setting(Range = "an absolute http or https address", Default = "the request's own scheme and host")]
    public string? PublicUrl { get; private set; }

    /// <summary>Null: no other origin may read anything.</summary>
    [Setting(
        Key = "Cors:Origins:<n>",
        OrOne = true,
        Range = "scheme, host and port; no `*`",
        Default = "none",
        Meaning = "Origins whose pages may call this host with credentials (CORS)."
    )]
    public CorsPolicy? Cors { get; private set; }

    /// <summary>Addresses of proxies whose <c>X-Forwarded-*</c> headers are trusted.</summary>
    [Setting(Key = "ForwardedHeaders:KnownProxies:<n>", OrOne = true, Range = "an IP address", Default = "none", AtStart = true)]
    public List<IPAddress> KnownProxies { get; } = [];

    /// <summary>Networks of proxies whose <c>X-Forwarded-*</c> headers are trusted.</summary>
    [Setting(
        Key = "ForwardedHeaders:KnownNetworks:<n>",
        OrOne = true,
        Range = "a network such as 10.0.0.0/8; not 0.0.0.0/0",
        Default = "none",
        AtStart = true
    )]
    public List<IPNetwork> KnownNetworks { get; } = [];

    public static EdgeSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var settings = new EdgeSettings();
        settings.ReadHosts(configuration, mistakes);
        settings.ReadCors(configuration, mistakes);
        settings.ReadProxies(configuration, mistakes);
        return settings;
    }

    private void ReadProxies(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        foreach (var (key, value) in Values(configuration, "ForwardedHeaders:KnownProxies"))
        {
            if (IPAddress.TryParse(value, out var address) && AddressNetworks.IsPlain(value))
            {
                KnownProxies.Add(address);
            }
            else
            {
                mistakes.Add(
                    key,
                    $"'{value}' is not an IP address. Write one address, such as 10.0.0.5, and put networks in "
                        + "ForwardedHeaders:KnownNetworks."
                );
            }
        }

        foreach (var (key, value) in Values(configuration, "ForwardedHeaders:KnownNetworks"))
        {
            if (!IPNetwork.TryParse(value, out var network) || !AddressNetworks.IsPlain(value) || HasBitsBehind(value, network))
            {
                mistakes.Add(
                    key,
                    $"'{value}' is not a network. Write it as prefix and length, such as 10.0.0.0/8, with no bit set behind the prefix."
                );
            }
            else if (network.PrefixLength == 0)
            {
                mistakes.Add(key, $"'{value}' would trust the forwarded headers of every client. Name the network of the proxies.");
            }
            else
            {
                KnownNetworks.Add(network);
            }
        }
    }

    /// <summary>The framework takes 10.1.2.3/8 for 10.0.0.0/8: far more than one proxy, which may be what was meant.</summary>
    private static bool HasBitsBehind(string value, IPNetwork network) =>
        !network.BaseAddress.Equals(IPAddress.Parse(value.AsSpan(0, value.IndexOf('/', StringComparison.Ordinal))));

    private void ReadHosts(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var hosts = Values(configuration, "AllowedHosts").ToArray();
        foreach (var (key, value) in hosts.Where(h => h.Value is not "*" && !IsHost(h.Value)))
        {
            mistakes.Add(
                key,
                $"'{value}' is not a host name. Write names in ASCII, without scheme and port, separated by ';', such as api.example.com;*.example.com."
            );
        }

        AllowedHosts = hosts.Any(h => h.Value is "*") ? [] : [.. hosts.Select(h => h.Value)];
        if (configuration["PublicUrl"]?.Trim() is { Length: > 0 } url)
        {
            if (
                Uri.TryCreate(url, UriKind.Absolute, out var uri)
                && uri.Scheme is "https" or "http"
                && uri is { Query: "", Fragment: "", UserInfo: "" }
                && IsPlain(url, uri.Scheme)
            )
            {
                PublicUrl = url.TrimEnd('/');
            }
            else
            {
                mistakes.Add(
                    "PublicUrl",
                    $"'{url}' is not an address. Write scheme and host as clients see them, such as https://api.example.com."
                );
            }
        }
    }

    /// <summary>
    /// Whether the value can be the <c>Host</c> of a request. Any other value (with a port, or with letters beyond ASCII) would refuse
    /// every request.
    /// </summary>
    private static bool IsHost(string value)
    {
        var name = value.StartsWith("*.", StringComparison.Ordinal) ? value[2..] : value;
        return Ascii.IsValid(name)
            && Uri.CheckHostName(name) switch
            {
                UriHostNameType.Dns or UriHostNameType.IPv4 => true,
                UriHostNameType.IPv6 => name[0] == '[',
                _ => false,
            };
    }

    /// <summary>Whether the address is valid as written, because headers contain it unchanged. .NET accepts more than they do.</summary>
    private static bool IsPlain(string url, string scheme) =>
        Ascii.IsValid(url)
        && url.StartsWith(scheme + "://", StringComparison.OrdinalIgnoreCase)
        && !url.AsSpan().ContainsAny('\\', ' ', '\t');

    private void ReadCors(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var origins = new List<string>();
        foreach (var (key, value) in Values(configuration, "Cors:Origins"))
        {
            if (value.Contains('*', StringComparison.Ordinal))
            {
                mistakes.Add(key, $"'{value}' would let any site read answers with the user's credentials. List the origins one by one.");
            }
            else if (
                !Uri.TryCreate(value, UriKind.Absolute, out var uri)
                || uri.Scheme is not ("https" or "http")
                || !string.Equals(uri.GetLeftPart(UriPartial.Authority), value, StringComparison.OrdinalIgnoreCase)
                || uri.UserInfo.Length > 0
            )
            {
                mistakes.Add(key, $"'{value}' is not an origin. Write scheme, host and port only, such as https://www.example.com.");
            }
            else
            {
                origins.Add(value);
            }
        }

        Cors = origins.Count > 0 ? CorsRules.For(origins, Names("Headers:Forward"), Names("Headers:Return")) : null;

        IEnumerable<string> Names(string key) => configuration.GetSection(key).GetChildren().Select(n => n.Value).OfType<string>();
    }

    /// <summary>Reads a list from <c>Key:0..n</c>, or from one value separated by ';' or ','.</summary>
    private static IEnumerable<(string Key, string Value)> Values(IConfiguration configuration, string key)
    {
        var section = configuration.GetSection(key);
        var values = section.Value is { } one
            ? one.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(v => (key, v))
            : section.GetChildren().Select(child => (child.Path, (child.Value ?? "").Trim()));
        return values.Where(pair => pair.Item2.Length > 0 || section.Value is null);
    }
}
