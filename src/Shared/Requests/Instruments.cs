using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Bff.Requests;

/// <summary>The gateways' own telemetry sources. Every source whose name begins with <c>Bff.</c> is exported.</summary>
internal static class Instruments
{
    public static readonly Meter Meter = new("Bff.Observability");

    /// <summary>Span sources: the framework's server and client spans, and the spans of the stages.</summary>
    public static readonly string[] Sources = ["Microsoft.AspNetCore", "System.Net.Http", "Bff.*"];

    /// <summary>
    /// Whether a span is worth creating here. Nothing is recorded below a span that is not recorded. The host's own background work runs
    /// below no span, and must not make traces of one call each.
    /// </summary>
    public static bool Records(ActivitySource source) => Activity.Current is { Recorded: true } && source.HasListeners();

    /// <summary>
    /// Bucket boundaries for histograms in seconds. The defaults are meant for milliseconds, so everything below 5 s would fall into one
    /// bucket.
    /// </summary>
    public static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60],
    };

    /// <summary>
    /// Meters: <c>http.server.request.duration</c>, <c>http.client.request.duration</c>, runtime, and those of the stages.
    /// </summary>
    public static readonly string[] Meters =
    [
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "System.Net.Http",
        "System.Runtime",
        "Polly",
        "Bff",
        "Bff.*",
    ];
}
