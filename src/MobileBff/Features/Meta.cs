using System.Text.Json;
using Bff.Composition;

namespace MobileBff.Features;

/// <summary>Describes how a composed answer was made.</summary>
/// <param name="ServicesCalled">Number of parts that were wanted, including cached ones.</param>
/// <param name="ServicesSucceeded">Number of parts that have data.</param>
/// <param name="TotalLatencyMs">Time from the request's arrival to the answer, in milliseconds.</param>
/// <param name="Degraded">Degraded parts and their status: <c>failed</c>, <c>timeout</c>, <c>unavailable</c>, <c>stale</c>,
/// <c>fallback</c>; absent if there are none.</param>
/// <param name="Pending">Parts that later lines of a progressive answer will bring; absent if there are none.</param>
/// <param name="Nulls">
/// JSON Pointers (RFC 6901) to members of a progressive answer that are null, which a merge patch cannot express; absent if there are none.
/// </param>
public sealed record Meta(
    int ServicesCalled,
    int ServicesSucceeded,
    int TotalLatencyMs,
    IReadOnlyDictionary<string, string>? Degraded = null,
    IReadOnlyList<string>? Pending = null,
    IReadOnlyList<string>? Nulls = null
);

internal sealed class MobileMeta : ICompositionMeta
{
    public void Write(Utf8JsonWriter json, CompositionReport report)
    {
        json.WriteStartObject();
        json.WriteNumber("servicesCalled"u8, report.ServicesCalled);
        json.WriteNumber("servicesSucceeded"u8, report.ServicesSucceeded);
        json.WriteNumber("totalLatencyMs"u8, (int)report.Total.TotalMilliseconds);
        if (report.IsDegraded)
        {
            json.WriteStartObject("degraded"u8);
            foreach (var part in report.Parts)
            {
                if (part.Status is not (PartStatus.Live or PartStatus.Cached or PartStatus.Skipped))
                {
                    json.WriteString(part.Name, part.Status.Name());
                }
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
