using System.Diagnostics.Metrics;

namespace Bff.Upstreams.Shadow;

/// <summary>What became of the copies.</summary>
internal enum ShadowOutcome
{
    /// <summary>It was answered; nothing was compared.</summary>
    Answered,

    /// <summary>It was answered in the same way.</summary>
    Same,

    /// <summary>It was answered in another way.</summary>
    Different,

    /// <summary>It failed, took too long, or the breaker or the bulkhead refused it.</summary>
    Failed,

    /// <summary>It was not sent: as many as may be were under way.</summary>
    Dropped,
}

/// <summary>Counts copies and differences.</summary>
internal static class ShadowMetrics
{
    private static readonly Meter Meter = new("Bff.Upstreams.Shadow");
    private static readonly ShadowPaths Paths = new(most: 500);
    private static readonly Counter<long> Reads = Meter.CreateCounter<long>("bff.shadow.reads", "{read}", "Copies of reads, by outcome.");
    private static readonly Counter<long> Differences = Meter.CreateCounter<long>(
        "bff.shadow.differences",
        "{difference}",
        "Answers of the shadow that differ from the service's, by endpoint and member."
    );

    public static void Count(string upstream, ShadowOutcome outcome) =>
        Reads.Add(1, new("upstream", upstream), new("outcome", Name(outcome)));

    /// <param name="upstream">Its name.</param>
    /// <param name="endpoint">Of the gateway; empty: none, or not known any more.</param>
    /// <param name="path">A member's, or <c>status</c>.</param>
    public static void CountDifference(string upstream, string endpoint, string path) =>
        Differences.Add(1, new("upstream", upstream), new("endpoint", endpoint), new("path", Paths.Of(upstream, endpoint, path)));

    private static string Name(ShadowOutcome outcome) =>
        outcome switch
        {
            ShadowOutcome.Answered => "answered",
            ShadowOutcome.Same => "same",
            ShadowOutcome.Different => "different",
            ShadowOutcome.Dropped => "dropped",
            _ => "failed",
        };
}
