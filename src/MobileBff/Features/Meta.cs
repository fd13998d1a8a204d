using System.Text.Json;
using Bff.Composition;

namespace MobileBff.Features;

/// <summary>How a composed answer came about.</summary>
/// <param name="ServicesCalled">Parts that were wanted, cached ones included.</param>
/// <param name="ServicesSucceeded">Those that have data.</param>
/// <param name="TotalLatencyMs">From arrival to answer.</param>
/// <param name="Degraded">Parts that are not as they should be: <c>failed</c>, <c>timeout</c>, <c>unavailable</c>, <c>stale</c>,
/// <c>fallback</c>; absent when all are.</param>
/// <param name="Pending">Parts that later lines of a progressive answer bring; absent when there are none.</param>
/// <param name="Nulls">
/// JSON Pointers (RFC 6901) to members of a progressive answer that are null, which a merge patch cannot say; absent when there are none.
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
