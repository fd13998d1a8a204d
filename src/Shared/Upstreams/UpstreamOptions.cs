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
        Meaning = "Base address of the service. Its host name is resolved through `Services:<name>` or DNS and may stand "
            + "for several instances."
    )]
    [Setting(
        Key = "Addresses:<n>",
        Range = "an address as in `Address`",
        Default = "none",
        Meaning = "Several base addresses, instead of `Address`. Calls are balanced among the healthy ones by power of two choices."
    )]
    public required EquatableList<Uri> Addresses { get; init; }

    /// <summary>
    /// Timeout of one attempt, from sending the request to the end of the answer, or to its headers on pass-through routes. Time spent
    /// waiting for the client's body does not count.
    /// </summary>
    [Setting(Min = "00:00:00.001", Max = "00:10:00")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Maximum number of retries, within the retry budget. Only reads and writes with an idempotency key are retried.
    /// </summary>
    [Setting(Min = 0, Max = 5)]
    public int Retries { get; init; } = 1;

    /// <summary>Delay after which a slow read is hedged: a second attempt is sent while the first still runs.</summary>
    [Setting(Min = "00:00:00.001", Max = "00:01:00", Default = "never")]
    public TimeSpan? HedgeAfter { get; init; }

    /// <summary>Circuit breaker.</summary>
    public BreakerOptions Breaker { get; init; } = new();

    /// <summary>Maximum number of concurrent calls per pool.</summary>
    [Setting(Min = 1, Max = 1_000_000)]
    public int MaxConcurrency { get; init; } = 256;

    /// <summary>Maximum number of calls that wait while <c>MaxConcurrency</c> calls run.</summary>
    [Setting(Min = 0, Max = 1_000_000)]
    public int MaxQueue { get; init; } = 64;

    /// <summary>Largest response body in bytes that a composition reads. A larger one counts as a failure of the service.</summary>
    [Setting(Min = 1024, Max = 256 * 1024 * 1024)]
    public int MaxResponseBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>A share of the traffic that goes elsewhere.</summary>
    public CanaryOptions? Canary { get; init; }

    /// <summary>Another version of the service that gets copies of reads, whose answers are thrown away.</summary>
    public ShadowOptions? Shadow { get; init; }

    /// <summary>Upstream that is called when this one fails.</summary>
    [Setting(Range = "the name of another upstream", Default = "none")]
    public string? Fallback { get; init; }

    /// <summary>Request headers by which the service's answers vary. They are part of the cache key in compositions.</summary>
    [Setting(Key = "VaryBy:<n>", Range = "`Accept-Language`, or a name in `Headers:Forward`", Default = "none")]
    public EquatableList<string> VaryBy { get; init; } = new([]);

    /// <summary>Certificate that the gateway presents (mTLS).</summary>
    public CertificateOptions? ClientCertificate { get; init; }

    /// <summary>Authority that the service's certificate must chain to, instead of the machine's.</summary>
    public CertificateOptions? ServerCa { get; init; }

    /// <summary>Whether the service is called over HTTP/2 with prior knowledge.</summary>
    [Setting]
    public bool Http2 { get; init; }

    /// <summary>
    /// Old name of `Token:Mode` `Caller`: whether the service receives the caller's access token, or the token of the browser's session.
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
    /// <summary>Share of failed calls at which the circuit breaker opens.</summary>
    [Setting(Min = 0.01, Max = 1)]
    public double FailureRatio { get; init; } = 0.5;

    /// <summary>Number of calls within <c>SamplingDuration</c> below which the circuit breaker stays closed.</summary>
    [Setting(Min = 2, Max = 1_000_000)]
    public int MinimumThroughput { get; init; } = 10;

    /// <summary>Time over which the share of failed calls is measured.</summary>
    [Setting(Min = "00:00:00.500", Max = "01:00:00")]
    public TimeSpan SamplingDuration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the circuit breaker stays open before it lets one call through as a probe.</summary>
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

    /// <summary>Percentage of callers whose calls go to the canary. Each caller always goes to the same side.</summary>
    [Setting(Min = 0, Max = 100)]
    public double Percent { get; init; }

    /// <summary>Header or query parameter with which a request selects the canary.</summary>
    [Setting(Key = "Header", Range = "`name=value`", Default = "none")]
    public string? HeaderName { get; init; }

    /// <summary>The value that it must have. Ordinal.</summary>
    public string? HeaderValue { get; init; }
}
