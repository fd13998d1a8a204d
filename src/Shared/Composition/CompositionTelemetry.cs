using System.Diagnostics;
using System.Diagnostics.Metrics;
using Bff.Requests;

namespace Bff.Composition;

/// <summary>Spans and metrics of compositions.</summary>
internal static class CompositionTelemetry
{
    public static readonly ActivitySource Source = new("Bff.Composition");
    private static readonly Meter Meter = new("Bff.Composition");
    private static readonly Histogram<double> PartDuration = Meter.CreateHistogram<double>(
        "bff.composition.part.duration",
        "s",
        "Time from a part's start to its end.",
        tags: null,
        advice: Instruments.Seconds
    );

    public static Activity? Start(string kind, string name) => Instruments.Records(Source) ? Source.StartActivity(kind + name) : null;

    /// <summary>
    /// Returns the status for telemetry: <c>disabled</c> if configuration switches the part off, so that no alert fires for it.
    /// </summary>
    public static string StatusOf(Part part) => part.IsSwitchedOff ? "disabled" : part.Status.Name();

    /// <summary>Returns the status of a write after another part has failed.</summary>
    public static string TakenBack(bool isUndone) => isUndone ? "undone" : "stands";

    public static void RecordTakenBack(string endpoint, string part, bool isUndone, TimeSpan latency) =>
        PartDuration.Record(latency.TotalSeconds, new("endpoint", endpoint), new("part", part), new("status", TakenBack(isUndone)));

    public static void Record(string endpoint, List<Part> parts)
    {
        if (!PartDuration.Enabled)
        {
            return;
        }

        foreach (var part in parts)
        {
            if (part.Status != PartStatus.Skipped)
            {
                PartDuration.Record(
                    part.Latency.TotalSeconds,
                    new("endpoint", endpoint),
                    new("part", part.Name),
                    new("status", StatusOf(part))
                );
            }
        }
    }
}
