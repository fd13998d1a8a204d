namespace Bff.Concurrency;

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
