using Bff.Configuration;
using Bff.Upstreams.Shadow;
using Bff.Upstreams.Tokens;
using Microsoft.Extensions.Configuration;

namespace Bff.Upstreams;

/// <summary>Reads a section of upstreams and collects every mistake with its key.</summary>
internal static class UpstreamsParser
{
    /// <param name="section"><c>Upstreams</c> or <c>Sandbox:Upstreams</c>.</param>
    /// <param name="mistakes">Collects the mistakes.</param>
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
            if (
                options.Fallback is { } fallback
                && (!upstreams.ContainsKey(fallback) || fallback.Equals(options.Name, StringComparison.OrdinalIgnoreCase))
            )
            {
                mistakes.Add(
                    $"{section.Path}:{options.Name}:Fallback",
                    $"'{fallback}' is not the name of another upstream. Use a name under Upstreams."
                );
            }
        }

        return upstreams;
    }

    private static UpstreamOptions? ParseOne(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        var listed = section.GetSection("Addresses").GetChildren().ToList();
        var addresses = (listed.Count > 0 ? listed : [section.GetSection("Address")])
            .Select(a => HttpAddress.OfService(a, mistakes))
            .OfType<Uri>()
            .ToList();
        if (addresses.Count == 0)
        {
            return null;
        }

        return mistakes.Bind(section, new UpstreamOptions { Name = section.Key, Addresses = new(addresses) }) with
        {
            Breaker = mistakes.Bind(section.GetSection("Breaker"), new BreakerOptions()),
            Canary = Canary(section.GetSection("Canary"), mistakes),
            Shadow = Shadow(section.GetSection("Shadow"), mistakes),
            Token = TokenOptionsParser.Parse(section, mistakes),
            Fallback = section["Fallback"],
            VaryBy = new([.. section.GetSection("VaryBy").GetChildren().Select(n => n.Value ?? "")]),
            ClientCertificate = CertificateOptions.Read(section.GetSection("ClientCertificate"), needsKey: true, mistakes),
            ServerCa = CertificateOptions.Read(section.GetSection("ServerCa"), needsKey: false, mistakes),
        };
    }

    private static ShadowOptions? Shadow(IConfigurationSection section, ConfigurationMistakes mistakes) =>
        section.Exists() && HttpAddress.OfService(section.GetSection("Address"), mistakes) is { } address
            ? mistakes.Bind(section, new ShadowOptions { Address = address })
            : null;

    private static CanaryOptions? Canary(IConfigurationSection section, ConfigurationMistakes mistakes)
    {
        if (!section.Exists())
        {
            return null;
        }

        var selector = section["Header"]?.Split('=', 2);
        if (selector is { Length: 1 } || selector is ["", ..])
        {
            mistakes.Add($"{section.Path}:Header", "is not of the form name=value, such as X-Canary=1.");
        }

        return HttpAddress.OfService(section.GetSection("Address"), mistakes) is not { } address
            ? null
            : mistakes.Bind(
                section,
                new CanaryOptions
                {
                    Address = address,
                    HeaderName = selector?[0],
                    HeaderValue = selector?[^1],
                }
            );
    }
}
