namespace Bff.Concurrency;

/// <summary>
/// A moment by which something has to be over, as <see cref="TimeProvider.GetTimestamp"/> counts: no clock that is set moves it.
/// </summary>
/// <param name="Timestamp">From then on it has passed.</param>
public readonly record struct Deadline(long Timestamp)
{
    /// <summary>So much time from now on; one that has passed for a span that is not positive.</summary>
    public static Deadline In(TimeSpan span, TimeProvider time) => new(time.TimestampIn(span));

    /// <summary>So much time after a timestamp.</summary>
    public static Deadline After(long timestamp, TimeSpan span, TimeProvider time) => new(timestamp + time.ToTimestamps(span));

    /// <summary>What is left; not below zero.</summary>
    public TimeSpan Left(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return time.GetTimestamp() is var now && now < Timestamp ? time.GetElapsedTime(now, Timestamp) : TimeSpan.Zero;
    }

    /// <summary>Whether it has passed when it is so late.</summary>
    public bool HasPassed(long timestamp) => timestamp >= Timestamp;

    /// <summary>The earlier of both.</summary>
    public Deadline Or(Deadline other) => other.Timestamp < Timestamp ? other : this;
}

/// <summary>Moments and spans as <see cref="TimeProvider.GetTimestamp"/> counts them.</summary>
public static class Timestamps
{
    /// <summary>The timestamp that is reached when so much time has passed; one that has passed for a negative span.</summary>
    public static long TimestampIn(this TimeProvider time, TimeSpan span)
    {
        ArgumentNullException.ThrowIfNull(time);
        return time.GetTimestamp() + time.ToTimestamps(span);
    }

    /// <summary>How far timestamps are apart that so much time is between.</summary>
    public static long ToTimestamps(this TimeProvider time, TimeSpan span)
    {
        ArgumentNullException.ThrowIfNull(time);
        return (long)(span.TotalSeconds * time.TimestampFrequency);
    }
}
