using System.Diagnostics.Metrics;
using Bff.Requests;

namespace Bff.Events;

/// <summary>
/// The histogram <c>bff.events.lag</c>: seconds from taking an event to handing it over, by <c>reader</c> (<c>streams</c>,
/// <c>webhooks</c>).
/// </summary>
public sealed class EventMetrics
{
    private readonly Histogram<double> _lag;
    private readonly TimeProvider _time;

    /// <summary>Creates the metrics. Called by the container.</summary>
    public EventMetrics(IMeterFactory meters, TimeProvider time)
    {
        _lag = meters
            .Create("Bff")
            .CreateHistogram<double>(
                "bff.events.lag",
                "s",
                "From taking an event to handing it over",
                tags: null,
                advice: Instruments.Seconds
            );
        _time = time;
    }

    /// <summary>Records that an event is handed over.</summary>
    public void HandedOver(EventId id, string reader)
    {
        if (_lag.Enabled)
        {
            _lag.Record(Math.Max(0, (_time.GetUtcNow() - id.At).TotalSeconds), new KeyValuePair<string, object?>("reader", reader));
        }
    }
}
