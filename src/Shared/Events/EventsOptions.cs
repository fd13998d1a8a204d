using Bff.Configuration;

namespace Bff.Events;

/// <summary>
/// Section <c>Events</c>. For each user and each tenant, the log keeps the events that are younger than <see cref="Retention"/>, but at
/// most the last <see cref="MaxLength"/>.
/// </summary>
[Settings("Events")]
public sealed class EventsOptions
{
    /// <summary>How long events are kept. A reader that was disconnected for longer loses events.</summary>
    [Setting(Min = "00:00:01", Max = "30.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Number of events that are kept for each user and each tenant. A reader that missed more loses events.</summary>
    [Setting(Min = 10_000, Max = 1_000_000)]
    public int MaxLength { get; set; } = 10_000;
}
