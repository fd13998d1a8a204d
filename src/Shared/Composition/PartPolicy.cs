using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Composition;

/// <summary>What configuration says of a part, where it says anything: <c>Composition:&lt;endpoint&gt;:&lt;part&gt;</c>.</summary>
/// <param name="Timeout">How long the part may take; above 0.</param>
/// <param name="Fresh">How long a kept value is served without asking.</param>
/// <param name="Stale">How much longer it may stand in.</param>
/// <param name="Enabled">False leaves the part out: a kill switch.</param>
public sealed record PartPolicy(TimeSpan? Timeout, TimeSpan? Fresh, TimeSpan? Stale, bool Enabled);

/// <summary>The section <c>Composition</c>; replaced as a whole on a reload.</summary>
/// <param name="Deadline">For everything that a request asks of upstreams. Default 3 s; 10 ms to 5 min.</param>
/// <param name="Parts">By endpoint and part.</param>
public sealed record CompositionPolicies(TimeSpan Deadline, IReadOnlyDictionary<(string Endpoint, string Part), PartPolicy> Parts)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    internal static CompositionPolicies Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var section = configuration.GetSection("Composition");
        var parts = new Dictionary<(string, string), PartPolicy>();
        foreach (var endpoint in section.GetChildren().Where(c => c.Key != "Deadline"))
        {
            foreach (var part in endpoint.GetChildren())
            {
                TimeSpan? Read(string key, TimeSpan min, TimeSpan max) =>
                    part[key] is null ? null : mistakes.Read(part, key, TimeSpan.FromSeconds(1), min, max);

                parts[(endpoint.Key, part.Key)] = new PartPolicy(
                    Read("Timeout", TimeSpan.FromMilliseconds(1), Longest),
                    Read("Fresh", TimeSpan.Zero, TimeSpan.FromDays(1)),
                    Read("Stale", TimeSpan.Zero, TimeSpan.FromDays(7)),
                    mistakes.Read(part, "Enabled", true));
            }
        }

        return new(mistakes.Read(section, "Deadline", TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(10), Longest), parts);
    }
}
