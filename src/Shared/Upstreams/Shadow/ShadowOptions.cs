using Bff.Configuration;

namespace Bff.Upstreams.Shadow;

/// <summary><c>Upstreams:&lt;name&gt;:Shadow</c>: another version of the service, which gets copies of reads.</summary>
[Settings("Upstreams:<name>:Shadow")]
public sealed record ShadowOptions
{
    /// <summary>Base address of the other version. It gets what the service gets, credentials and identity headers included.</summary>
    [Setting(Range = "an absolute http or https address, or such as `https+http://orders`, without user info or query", Default = "none")]
    public required Uri Address { get; init; }

    /// <summary>Share of the reads that are copied, in percent.</summary>
    [Setting(Min = 0, Max = 100)]
    public double Percent { get; init; }

    /// <summary>Whether status and JSON of the two answers are compared; differences are counted, and never hold a value.</summary>
    [Setting]
    public bool Compare { get; init; }
}
