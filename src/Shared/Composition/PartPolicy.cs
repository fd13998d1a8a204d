using Bff.Configuration;
using Bff.Requests;
using Microsoft.Extensions.Configuration;

namespace Bff.Composition;

/// <summary>What configuration says of a part, where it says anything: <c>Composition:&lt;endpoint&gt;:&lt;part&gt;</c>.</summary>
[Settings("Composition:<endpoint>:<part>")]
public sealed record PartPolicy
{
    /// <summary>Timeout of the part.</summary>
    [Setting(Min = "00:00:00.001", Max = "00:05:00", Default = "set in the endpoint's code, else 00:00:01")]
    public TimeSpan? Timeout { get; init; }

    /// <summary>How long a cached value of the part is fresh: it is served without a call to the service.</summary>
    [Setting(Min = "00:00:00", Max = "1.00:00:00", Default = "set in the endpoint's code")]
    public TimeSpan? Fresh { get; init; }

    /// <summary>
    /// How long after <c>Fresh</c> a cached value is served as <c>cached</c> while one call in the background refreshes it
    /// (stale-while-revalidate).
    /// </summary>
    [Setting(Min = "00:00:00", Max = "1.00:00:00", Default = "`00:00:00`")]
    public TimeSpan? Revalidate { get; init; }

    /// <summary>
    /// How long after <c>Fresh</c> a cached value is served when the call of the part fails (stale-if-error, RFC 5861). It is never served
    /// when the call succeeds.
    /// </summary>
    [Setting(Min = "00:00:00", Max = "7.00:00:00", Default = "set in the endpoint's code")]
    public TimeSpan? Stale { get; init; }

    /// <summary>
    /// Whether the part is served. With <c>false</c> it is <c>null</c> with the status <c>unavailable</c>, without a fallback. If the part
    /// is required, the request is answered 503.
    /// </summary>
    [Setting]
    public bool Enabled { get; init; } = true;
}

/// <summary>What configuration says of an endpoint's answers: <c>Composition:&lt;endpoint&gt;</c>.</summary>
[Settings("Composition:<endpoint>")]
public sealed record EndpointPolicy
{
    /// <summary>
    /// How long after the request's arrival a progressive answer sends its first line. Parts that are ready by then are in that line, and
    /// the line always waits for the required parts. An answer that is complete by then is a single line.
    /// </summary>
    [Setting(Min = "00:00:00", Max = "00:05:00")]
    public TimeSpan FirstAfter { get; init; } = TimeSpan.FromMilliseconds(100);

    internal static EndpointPolicy Default { get; } = new();
}

/// <summary>The section <c>Composition</c>; replaced as a whole on a reload.</summary>
[Settings("Composition")]
public sealed record CompositionPolicies
{
    /// <summary>Total time that all upstream calls of one request may take.</summary>
    [Setting(Min = "00:00:00.010", Max = "00:05:00")]
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>By endpoint and part.</summary>
    public IReadOnlyDictionary<(string Endpoint, string Part), PartPolicy> Parts { get; init; } =
        new Dictionary<(string, string), PartPolicy>();

    /// <summary>By endpoint.</summary>
    public IReadOnlyDictionary<string, EndpointPolicy> Endpoints { get; init; } = new Dictionary<string, EndpointPolicy>();

    internal static CompositionPolicies Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var section = configuration.GetSection("Composition");
        var parts = new Dictionary<(string, string), PartPolicy>();
        var endpoints = new Dictionary<string, EndpointPolicy>();
        foreach (var endpoint in section.GetChildren().Where(c => c.Key != "Deadline"))
        {
            endpoints[endpoint.Key] = mistakes.Bind(endpoint, new EndpointPolicy());
            foreach (var part in endpoint.GetChildren().Where(c => c.Key != nameof(EndpointPolicy.FirstAfter)))
            {
                parts[(endpoint.Key, part.Key)] = mistakes.Bind(part, new PartPolicy());
            }
        }

        return mistakes.Bind(section, new CompositionPolicies { Parts = parts, Endpoints = endpoints });
    }
}

/// <summary>Tells earlier stages the deadline of a composition.</summary>
internal sealed class CompositionDeadline(Reloadable<CompositionPolicies> policies) : IRequestDeadline
{
    public TimeSpan Current => policies.Current.Deadline;
}
