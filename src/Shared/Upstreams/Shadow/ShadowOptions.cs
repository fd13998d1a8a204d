using Bff.Configuration;

namespace Bff.Upstreams.Shadow;

/// <summary><c>Upstreams:&lt;name&gt;:Shadow</c>: another version of the service, which gets copies of reads.</summary>
[Settings("Upstreams:<name>:Shadow")]
public sealed record ShadowOptions
{
    /// <summary>
    /// Base address of the shadow, another version of the service. It receives the same requests, with credentials and identity headers.
    /// </summary>
    [Setting(Range = "an absolute http or https address, or such as `https+http://orders`, without user info or query", Default = "none")]
    public required Uri Address { get; init; }

    /// <summary>Percentage of the reads that are copied to the shadow.</summary>
    [Setting(Min = 0, Max = 100)]
    public double Percent { get; init; }

    /// <summary>Whether the status and JSON of the two answers are compared. Differences are counted; values are never recorded.</summary>
    [Setting]
    public bool Compare { get; init; }
}
