using System.Diagnostics.Metrics;

namespace Bff.Upstreams.Shadow;

/// <summary>Outcome of a shadow read.</summary>
internal enum ShadowOutcome
{
    /// <summary>The shadow answered; the answers were not compared.</summary>
    Answered,

    /// <summary>The shadow gave the same answer.</summary>
    Same,

    /// <summary>The shadow gave a different answer.</summary>
    Different,

    /// <summary>The copy failed, timed out, or was refused by the breaker or the bulkhead.</summary>
    Failed,

    /// <summary>The copy was not sent, because the maximum number was in flight.</summary>
    Dropped,
}

/// <summary>Counts shadow reads and differences.</summary>
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

    /// <param name="upstream">The upstream's name.</param>
    /// <param name="endpoint">The gateway's endpoint; empty if there is none or it is no longer known.</param>
    /// <param name="path">Path of a member, or <c>status</c>.</param>
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
