using System.Diagnostics.Metrics;

namespace PartnerBff.Agents;

/// <summary>
/// Records <c>bff.agents.call.duration</c> by <c>tool</c> and <c>status</c>, because the server's own metrics count only the message, not
/// the call of a tool in it.
/// </summary>
internal sealed class AgentMetrics(IMeterFactory meters)
{
    private readonly Histogram<double> _calls = meters
        .Create("Bff")
        .CreateHistogram(
            "bff.agents.call.duration",
            "s",
            "Calls of tools by agents",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] }
        );

    public void Called(string tool, int status, TimeSpan duration) =>
        _calls.Record(duration.TotalSeconds, new("tool", tool), new("status", status));
}
