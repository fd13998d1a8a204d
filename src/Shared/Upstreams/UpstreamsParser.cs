using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Upstreams;

/// <summary>Reads a section of upstreams, collecting every mistake with its key.</summary>
internal static class UpstreamsParser
{
    /// <param name="section"><c>Upstreams</c> or <c>Sandbox:Upstreams</c>.</param>
    /// <param name="mistakes">Collects them.</param>
    public static Dictionary<string, UpstreamOptions> Parse(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        var upstreams = new Dictionary<string, UpstreamOptions>(StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (ParseOne(child, mistakes) is { } options)
            {
                upstreams[child.Key] = options;
            }
        }

        foreach (var options in upstreams.Values)
        {
            if (options.Fallback is { } fallback
                && (!upstreams.ContainsKey(fallback) || fallback.Equals(options.Name, StringComparison.OrdinalIgnoreCase)))
            {
                mistakes.Add($"{section.Path}:{options.Name}:Fallback", $"'{fallback}' is not the name of another upstream.");
            }
        }

        return upstreams;
    }

    /// <summary>An absolute http or https address; reported and null otherwise.</summary>
    public static Uri? Address(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        if (Uri.TryCreate(section.Value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri.Query.Length == 0 && uri.UserInfo.Length == 0)
        {
            return uri.AbsoluteUri.EndsWith('/') ? uri : new Uri(uri.AbsoluteUri + "/");
        }

        mistakes.Add(section.Path, "needs an absolute http or https address without user info or query.");
        return null;
    }

    private static UpstreamOptions? ParseOne(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        var listed = section.GetSection("Addresses").GetChildren().ToList();
        var addresses = (listed.Count > 0 ? listed : [section.GetSection("Address")])
            .Select(a => Address(a, mistakes)).OfType<Uri>().ToList();
        if (addresses.Count == 0)
        {
            return null;
        }

        var defaults = new UpstreamOptions { Name = section.Key, Addresses = new(addresses) };
        return defaults with
        {
            Timeout = mistakes.Read(section, "Timeout", defaults.Timeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10)),
            Retries = mistakes.Read(section, "Retries", defaults.Retries, 0, 5),
            HedgeAfter = section["HedgeAfter"] is null
                ? null
                : mistakes.Read(section, "HedgeAfter", TimeSpan.Zero, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1)),
            Breaker = new BreakerOptions
            {
                FailureRatio = mistakes.Read(section, "Breaker:FailureRatio", 0.5, 0.01, 1.0),
                MinimumThroughput = mistakes.Read(section, "Breaker:MinimumThroughput", 10, 2, 1_000_000),
                SamplingDuration = mistakes.Read(section, "Breaker:SamplingDuration", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(0.5), TimeSpan.FromHours(1)),
                BreakDuration = mistakes.Read(section, "Breaker:BreakDuration", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(0.5), TimeSpan.FromHours(1)),
            },
            MaxConcurrency = mistakes.Read(section, "MaxConcurrency", defaults.MaxConcurrency, 1, 1_000_000),
            MaxQueue = mistakes.Read(section, "MaxQueue", defaults.MaxQueue, 0, 1_000_000),
            MaxResponseBytes = mistakes.Read(section, "MaxResponseBytes", defaults.MaxResponseBytes, 1024, 256 * 1024 * 1024),
            Canary = Canary(section.GetSection("Canary"), mistakes),
            Fallback = section["Fallback"],
            ClientCertificate = Certificate(section.GetSection("ClientCertificate"), needsKey: true, mistakes),
            ServerCa = Certificate(section.GetSection("ServerCa"), needsKey: false, mistakes),
            Http2 = mistakes.Read(section, "Http2", false),
            ForwardAuthorization = mistakes.Read(section, "ForwardAuthorization", false),
        };
    }

    private static CanaryOptions? Canary(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        if (!section.Exists())
        {
            return null;
        }

        var selector = section["Header"]?.Split('=', 2);
        if (selector is { Length: 1 } || selector is ["", ..])
        {
            mistakes.Add($"{section.Path}:Header", "needs the form name=value.");
        }

        return Address(section.GetSection("Address"), mistakes) is not { } address ? null : new CanaryOptions
        {
            Address = address,
            Percent = mistakes.Read(section, "Percent", 0.0, 0, 100),
            HeaderName = selector?[0],
            HeaderValue = selector?[^1],
        };
    }

    private static CertificateOptions? Certificate(IConfigurationSection section, bool needsKey, ConfigurationMistakes mistakes)
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
            mistakes.Add($"{section.Path}:Path", "is not a readable certificate" + (needsKey ? " with its private key." : "."));
        }

        return options;
    }
}
