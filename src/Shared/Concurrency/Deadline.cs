namespace Bff.Concurrency;

/// <summary>
/// A time by which something must be complete, in <see cref="TimeProvider.GetTimestamp"/> units, so that adjusting the clock does not move
/// it.
/// </summary>
/// <param name="Timestamp">The timestamp at which the deadline passes.</param>
public readonly record struct Deadline(long Timestamp)
{
    /// <summary>Returns a deadline after this time from now. It has already passed when the span is not positive.</summary>
    public static Deadline In(TimeSpan span, TimeProvider time) => new(time.TimestampIn(span));

    /// <summary>Returns a deadline after this time from a timestamp.</summary>
    public static Deadline After(long timestamp, TimeSpan span, TimeProvider time) => new(timestamp + time.ToTimestamps(span));

    /// <summary>Returns the remaining time, which is never negative.</summary>
    public TimeSpan Left(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return time.GetTimestamp() is var now && now < Timestamp ? time.GetElapsedTime(now, Timestamp) : TimeSpan.Zero;
    }

    /// <summary>Whether the deadline has passed at this timestamp.</summary>
    public bool HasPassed(long timestamp) => timestamp >= Timestamp;

    /// <summary>Returns the earlier of the two deadlines.</summary>
    public Deadline Or(Deadline other) => other.Timestamp < Timestamp ? other : this;
}

/// <summary>Converts times and spans to <see cref="TimeProvider.GetTimestamp"/> units.</summary>
public static class Timestamps
{
    /// <summary>Returns the timestamp after this span from now. It is in the past when the span is negative.</summary>
    public static long TimestampIn(this TimeProvider time, TimeSpan span)
    {
        ArgumentNullException.ThrowIfNull(time);
        return time.GetTimestamp() + time.ToTimestamps(span);
    }

    /// <summary>Converts a span to a difference of timestamps.</summary>
    public static long ToTimestamps(this TimeProvider time, TimeSpan span)
    {
        ArgumentNullException.ThrowIfNull(time);
        return (long)(span.TotalSeconds * time.TimestampFrequency);
    }
}
