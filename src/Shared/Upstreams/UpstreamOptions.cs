using Bff.Configuration;
using Bff.Upstreams.Shadow;
using Bff.Upstreams.Tokens;

namespace Bff.Upstreams;

/// <summary><c>Upstreams:&lt;name&gt;</c>: one service behind the gateway. Equal options mean that nothing changed on a reload.</summary>
[Settings("Upstreams:<name>")]
public sealed record UpstreamOptions
{
    /// <summary>The name that configuration, routes and typed clients share.</summary>
    public required string Name { get; init; }

    /// <summary>Base addresses; several are balanced by power of two choices among the healthy ones.</summary>
    [Setting(
        Key = "Address",
        Range = "an absolute http or https address, or such as `https+http://orders`, without user info or query",
        Default = "none; required",
        Meaning = "Base address of the service; a name in it is looked up (`Services:<name>`, DNS), and may stand for several instances."
    )]
    [Setting(
        Key = "Addresses:<n>",
        Range = "the same",
        Default = "none",
        Meaning = "Several, balanced by power of two choices among the healthy ones, in place of `Address`."
    )]
    public required EquatableList<Uri> Addresses { get; init; }

    /// <summary>
    /// One attempt, from sending to the whole answer (to its head on pass-through routes); not while a client's body is waited for.
    /// </summary>
    [Setting(Min = "00:00:00.001", Max = "00:10:00")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Further attempts, for reads and keyed writes alone, within the retry budget.</summary>
    [Setting(Min = 0, Max = 5)]
    public int Retries { get; init; } = 1;

    /// <summary>After this delay a second attempt runs beside the first; reads only.</summary>
    [Setting(Min = "00:00:00.001", Max = "00:01:00", Default = "never")]
    public TimeSpan? HedgeAfter { get; init; }

    /// <summary>Circuit breaker.</summary>
    public BreakerOptions Breaker { get; init; } = new();

    /// <summary>Calls at once, per pool.</summary>
    [Setting(Min = 1, Max = 1_000_000)]
    public int MaxConcurrency { get; init; } = 256;

    /// <summary>Calls that wait for one of those places.</summary>
    [Setting(Min = 0, Max = 1_000_000)]
    public int MaxQueue { get; init; } = 64;

    /// <summary>A larger body is an upstream failure in a composition.</summary>
    [Setting(Min = 1024, Max = 256 * 1024 * 1024)]
    public int MaxResponseBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>A share of the traffic that goes elsewhere.</summary>
    public CanaryOptions? Canary { get; init; }

    /// <summary>Another version of the service that gets copies of reads, whose answers are thrown away.</summary>
    public ShadowOptions? Shadow { get; init; }

    /// <summary>Name of another upstream that is asked when this one fails.</summary>
    [Setting(Range = "the name of another upstream", Default = "none")]
    public string? Fallback { get; init; }

    /// <summary>Client's headers by which its answers vary: they are part of the key of what compositions keep of it.</summary>
    [Setting(Key = "VaryBy:<n>", Range = "`Accept-Language`, or a name in `Headers:Forward`", Default = "none")]
    public EquatableList<string> VaryBy { get; init; } = new([]);

    /// <summary>Certificate that the gateway presents (mTLS).</summary>
    public CertificateOptions? ClientCertificate { get; init; }

    /// <summary>Authority that the service's certificate must chain to, instead of the machine's.</summary>
    public CertificateOptions? ServerCa { get; init; }

    /// <summary>HTTP/2 with prior knowledge.</summary>
    [Setting]
    public bool Http2 { get; init; }

    /// <summary>
    /// The old name of `Token:Mode` `Caller`: sends the access token that the caller came with, or that the browser's session has, to this
    /// service.
    /// </summary>
    [Setting]
    public bool ForwardAuthorization { get; init; }

    /// <summary>What the service gets in <c>Authorization</c>.</summary>
    public TokenOptions Token { get; init; } = new();
}

/// <summary><c>Upstreams:&lt;name&gt;:Breaker</c>.</summary>
[Settings("Upstreams:<name>:Breaker")]
public sealed record BreakerOptions
{
    /// <summary>Opens at this share of failures.</summary>
    [Setting(Min = 0.01, Max = 1)]
    public double FailureRatio { get; init; } = 0.5;

    /// <summary>Does not open below this many calls in the sampling time.</summary>
    [Setting(Min = 2, Max = 1_000_000)]
    public int MinimumThroughput { get; init; } = 10;

    /// <summary>The share is taken over this time.</summary>
    [Setting(Min = "00:00:00.500", Max = "01:00:00")]
    public TimeSpan SamplingDuration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Stays open this long before one call may try again.</summary>
    [Setting(Min = "00:00:00.500", Max = "01:00:00")]
    public TimeSpan BreakDuration { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary><c>Upstreams:&lt;name&gt;:Canary</c>.</summary>
[Settings("Upstreams:<name>:Canary")]
public sealed record CanaryOptions
{
    /// <summary>Base address of the canary.</summary>
    [Setting(Range = "an absolute http or https address, or such as `https+http://orders`, without user info or query", Default = "none")]
    public required Uri Address { get; init; }

    /// <summary>Share of the callers in percent; a caller stays on one side.</summary>
    [Setting(Min = 0, Max = 100)]
    public double Percent { get; init; }

    /// <summary>Header or query parameter that chooses the canary.</summary>
    [Setting(Key = "Header", Range = "`name=value`", Default = "none")]
    public string? HeaderName { get; init; }

    /// <summary>The value that it must have. Ordinal.</summary>
    public string? HeaderValue { get; init; }
}
