namespace Bff.Upstreams;

/// <summary><c>Upstreams:&lt;name&gt;</c>: one service behind the gateway. Equal options mean that nothing changed on a reload.</summary>
public sealed record UpstreamOptions
{
    /// <summary>The name that configuration, routes and typed clients share.</summary>
    public required string Name { get; init; }

    /// <summary>Base addresses; several are balanced by power of two choices among the healthy ones.</summary>
    public required EquatableList<Uri> Addresses { get; init; }

    /// <summary>One attempt, from sending to the whole answer (to its head on pass-through routes). Default 1 s; above 0.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Further attempts, for reads and keyed writes alone, within the retry budget. Default 1; 0 to 5.</summary>
    public int Retries { get; init; } = 1;

    /// <summary>After this delay a second attempt runs beside the first; reads only. Default: never.</summary>
    public TimeSpan? HedgeAfter { get; init; }

    /// <summary>Circuit breaker.</summary>
    public BreakerOptions Breaker { get; init; } = new();

    /// <summary>Calls at once, per pool. Default 256; at least 1.</summary>
    public int MaxConcurrency { get; init; } = 256;

    /// <summary>Calls that wait for one of those places. Default 64; at least 0.</summary>
    public int MaxQueue { get; init; } = 64;

    /// <summary>A larger body is an upstream failure in a composition. Default 4 MiB; 1 KiB to 256 MiB.</summary>
    public int MaxResponseBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>A share of the traffic that goes elsewhere.</summary>
    public CanaryOptions? Canary { get; init; }

    /// <summary>Name of another upstream that is asked when this one fails. Default none.</summary>
    public string? Fallback { get; init; }

    /// <summary>Certificate that the gateway presents (mTLS).</summary>
    public CertificateOptions? ClientCertificate { get; init; }

    /// <summary>Authority that the service's certificate must chain to, instead of the machine's.</summary>
    public CertificateOptions? ServerCa { get; init; }

    /// <summary>HTTP/2 with prior knowledge. Default false.</summary>
    public bool Http2 { get; init; }

    /// <summary>Sends the client's <c>Authorization</c> to this service. Default false.</summary>
    public bool ForwardAuthorization { get; init; }
}

/// <summary><c>Upstreams:&lt;name&gt;:Breaker</c>.</summary>
public sealed record BreakerOptions
{
    /// <summary>Opens at this share of failures. Default 0.5; above 0, at most 1.</summary>
    public double FailureRatio { get; init; } = 0.5;

    /// <summary>Does not open below this many calls in the sampling time. Default 10; at least 2.</summary>
    public int MinimumThroughput { get; init; } = 10;

    /// <summary>The share is taken over this time. Default 10 s; at least 0.5 s.</summary>
    public TimeSpan SamplingDuration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Stays open this long before one call may try again. Default 5 s; at least 0.5 s.</summary>
    public TimeSpan BreakDuration { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary><c>Upstreams:&lt;name&gt;:Canary</c>.</summary>
public sealed record CanaryOptions
{
    /// <summary>Base address of the canary.</summary>
    public required Uri Address { get; init; }

    /// <summary>Share of the callers, 0 to 100; a caller stays on one side. Default 0.</summary>
    public double Percent { get; init; }

    /// <summary>Header or query parameter that chooses the canary, from <c>name=value</c>.</summary>
    public string? HeaderName { get; init; }

    /// <summary>The value that it must have. Ordinal.</summary>
    public string? HeaderValue { get; init; }
}

/// <summary>A certificate in PEM or PKCS#12 files.</summary>
public sealed record CertificateOptions
{
    /// <summary>PEM certificate, or PKCS#12 with <c>.pfx</c> or <c>.p12</c>.</summary>
    public required string Path { get; init; }

    /// <summary>PEM private key, when not in <see cref="Path"/>.</summary>
    public string? KeyPath { get; init; }

    /// <summary>Of the PKCS#12 file or the encrypted key.</summary>
    public string? Password { get; init; }
}
