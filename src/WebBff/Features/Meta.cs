using System.Text.Json;
using Bff.Composition;

namespace WebBff.Features;

/// <summary>Describes how a composed answer was made.</summary>
/// <param name="ServicesCalled">Number of parts that were wanted, including cached ones.</param>
/// <param name="ServicesSucceeded">Number of parts that have data.</param>
/// <param name="TotalLatencyMs">Time from the request's arrival to the answer, in milliseconds.</param>
/// <param name="Sections">All parts by name, except pending ones.</param>
/// <param name="Pending">Parts that later lines of a progressive answer will bring; absent if there are none.</param>
/// <param name="Nulls">
/// JSON Pointers (RFC 6901) to members of a progressive answer that are null, which a merge patch cannot express; absent if there are none.
/// </param>
public sealed record Meta(
    int ServicesCalled,
    int ServicesSucceeded,
    int TotalLatencyMs,
    IReadOnlyDictionary<string, SectionMeta> Sections,
    IReadOnlyList<string>? Pending = null,
    IReadOnlyList<string>? Nulls = null
);

/// <param name="Status"><c>live</c>, <c>cached</c>, <c>stale</c>, <c>fallback</c>, <c>failed</c>, <c>timeout</c>, <c>unavailable</c> or
/// <c>skipped</c>.</param>
/// <param name="LatencyMs">Time from the part's start to its end, in milliseconds.</param>
/// <param name="AgeSeconds">Age of a cached or stale value in seconds; otherwise 0.</param>
public sealed record SectionMeta(string Status, int LatencyMs, int AgeSeconds);

internal sealed class WebMeta : ICompositionMeta
{
    public void Write(Utf8JsonWriter json, CompositionReport report)
    {
        json.WriteStartObject();
        json.WriteNumber("servicesCalled"u8, report.ServicesCalled);
        json.WriteNumber("servicesSucceeded"u8, report.ServicesSucceeded);
        json.WriteNumber("totalLatencyMs"u8, (int)report.Total.TotalMilliseconds);
        json.WriteStartObject("sections"u8);
        foreach (var part in report.Parts)
        {
            json.WriteStartObject(part.Name);
            json.WriteString("status"u8, part.Status.Name());
            json.WriteNumber("latencyMs"u8, (int)part.Latency.TotalMilliseconds);
            json.WriteNumber("ageSeconds"u8, part.AgeSeconds);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
