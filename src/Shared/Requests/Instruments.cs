using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Bff.Requests;

/// <summary>The gateways' own sources: whatever begins with <c>Bff.</c> is exported.</summary>
internal static class Instruments
{
    public static readonly Meter Meter = new("Bff.Observability");

    /// <summary>Span sources: the framework's server and client spans, and the stages' own.</summary>
    public static readonly string[] Sources = ["Microsoft.AspNetCore", "System.Net.Http", "Bff.*"];

    /// <summary>
    /// Whether a span is worth making here: below one that is not recorded nothing is recorded either, and what the host does for itself,
    /// below none, makes no traces of one call each.
    /// </summary>
    public static bool Records(ActivitySource source) => Activity.Current is { Recorded: true } && source.HasListeners();

    /// <summary>Without these a histogram of seconds is counted in buckets of milliseconds: everything below 5 s would be one.</summary>
    public static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60],
    };

    /// <summary>Meters: <c>http.server.request.duration</c>, <c>http.client.request.duration</c>, runtime, and the stages' own.</summary>
    public static readonly string[] Meters =
    [
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "System.Net.Http",
        "System.Runtime",
        "Bff",
        "Bff.*",
    ];
}
