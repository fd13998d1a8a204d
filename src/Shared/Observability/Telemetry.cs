using System.Diagnostics.Metrics;

namespace Bff.Observability;

/// <summary>The gateways' own sources: whatever begins with <c>Bff.</c> is exported.</summary>
internal static class Telemetry
{
    public static readonly Meter Meter = new("Bff.Observability");

    /// <summary>Span sources: the framework's server and client spans, and the stages' own.</summary>
    public static readonly string[] Sources = ["Microsoft.AspNetCore", "System.Net.Http", "Bff.*"];

    /// <summary>Meters: <c>http.server.request.duration</c>, <c>http.client.request.duration</c>, runtime, and the stages' own.</summary>
    public static readonly string[] Meters =
        ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime", "Bff.*"];
}
