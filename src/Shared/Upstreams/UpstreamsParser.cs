using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Upstreams;

/// <summary>Reads a section of upstreams, collecting every mistake with its key.</summary>
internal static class UpstreamsParser
{
    /// <param name="section"><c>Upstreams</c> or <c>Sandbox:Upstreams</c>.</param>
    /// <param name="report">Called with key and message for each mistake.</param>
    public static Dictionary<string, UpstreamOptions> Parse(IConfigurationSection section, Action<string, string> report)
    {
        var upstreams = new Dictionary<string, UpstreamOptions>(StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (ParseOne(child, report) is { } options)
            {
                upstreams[child.Key] = options;
            }
        }

        foreach (var options in upstreams.Values)
        {
            if (options.Fallback is { } fallback
                && (!upstreams.ContainsKey(fallback) || fallback.Equals(options.Name, StringComparison.OrdinalIgnoreCase)))
            {
                report($"{section.Path}:{options.Name}:Fallback", $"'{fallback}' is not the name of another upstream.");
            }
        }

        return upstreams;
    }

    /// <summary>An absolute http or https address; reported and null otherwise.</summary>
    public static Uri? Address(IConfigurationSection section, Action<string, string> report)
    {
        if (Uri.TryCreate(section.Value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri.Query.Length == 0 && uri.UserInfo.Length == 0)
        {
            return uri.AbsoluteUri.EndsWith('/') ? uri : new Uri(uri.AbsoluteUri + "/");
        }

        report(section.Path, "needs an absolute http or https address without user info or query.");
        return null;
    }

    private static UpstreamOptions? ParseOne(IConfigurationSection section, Action<string, string> report)
    {
        var listed = section.GetSection("Addresses").GetChildren().ToList();
        var addresses = (listed.Count > 0 ? listed : [section.GetSection("Address")])
            .Select(a => Address(a, report)).OfType<Uri>().ToList();
        if (addresses.Count == 0)
        {
            return null;
        }

        var read = new SectionReader(section, report);
        var defaults = new UpstreamOptions { Name = section.Key, Addresses = new(addresses) };
        return defaults with
        {
            Timeout = read.Duration("Timeout", defaults.Timeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10)),
            Retries = read.Count("Retries", defaults.Retries, 0, 5),
            HedgeAfter = section["HedgeAfter"] is null
                ? null
                : read.Duration("HedgeAfter", TimeSpan.Zero, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1)),
            Breaker = new BreakerOptions
            {
                FailureRatio = read.Number("Breaker:FailureRatio", 0.5, 0.01, 1),
                MinimumThroughput = read.Count("Breaker:MinimumThroughput", 10, 2, 1_000_000),
                SamplingDuration = read.Duration("Breaker:SamplingDuration", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(0.5), TimeSpan.FromHours(1)),
                BreakDuration = read.Duration("Breaker:BreakDuration", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(0.5), TimeSpan.FromHours(1)),
            },
            MaxConcurrency = read.Count("MaxConcurrency", defaults.MaxConcurrency, 1, 1_000_000),
            MaxQueue = read.Count("MaxQueue", defaults.MaxQueue, 0, 1_000_000),
            MaxResponseBytes = read.Count("MaxResponseBytes", defaults.MaxResponseBytes, 1024, 256 * 1024 * 1024),
            Canary = Canary(section.GetSection("Canary"), read, report),
            Fallback = section["Fallback"],
            ClientCertificate = Certificate(section.GetSection("ClientCertificate"), needsKey: true, report),
            ServerCa = Certificate(section.GetSection("ServerCa"), needsKey: false, report),
            Http2 = read.Flag("Http2", false),
            ForwardAuthorization = read.Flag("ForwardAuthorization", false),
        };
    }

    private static CanaryOptions? Canary(IConfigurationSection section, SectionReader read, Action<string, string> report)
    {
        if (!section.Exists())
        {
            return null;
        }

        var selector = section["Header"]?.Split('=', 2);
        if (selector is { Length: 1 } || selector is ["", ..])
        {
            report($"{section.Path}:Header", "needs the form name=value.");
        }

        return Address(section.GetSection("Address"), report) is not { } address ? null : new CanaryOptions
        {
            Address = address,
            Percent = read.Number("Canary:Percent", 0, 0, 100),
            HeaderName = selector?[0],
            HeaderValue = selector?[^1],
        };
    }

    private static CertificateOptions? Certificate(IConfigurationSection section, bool needsKey, Action<string, string> report)
    {
        if (!section.Exists())
        {
            return null;
        }

        var options = new CertificateOptions { Path = section["Path"] ?? "", KeyPath = section["KeyPath"], Password = section["Password"] };
        try
        {
            using var loaded = needsKey ? TransportSecurity.Load(options) : System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(options.Path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or System.Security.Cryptography.CryptographicException)
        {
            report($"{section.Path}:Path", "is not a readable certificate" + (needsKey ? " with its private key." : "."));
        }

        return options;
    }
}
