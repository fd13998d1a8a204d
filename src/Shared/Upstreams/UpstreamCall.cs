namespace Bff.Upstreams;

/// <summary>One call on its way through a pool: what the resilience strategies and the attempts share.</summary>
internal sealed class UpstreamCall
{
    /// <summary>The request; further attempts send copies.</summary>
    public required HttpRequestMessage Request { get; init; }

    /// <summary>True in a composition: an attempt reads the whole body, so that time-outs, retries and the breaker see it.</summary>
    public required bool BuffersBody { get; init; }

    /// <summary><see cref="TimeProvider.GetTimestamp"/> at which nobody waits for the answer any more.</summary>
    public required long DeadlineTimestamp { get; init; }

    /// <summary>How many attempts have been started.</summary>
    public int Attempts;

    /// <summary>Where the latest attempt went, so that the next may go elsewhere.</summary>
    public UpstreamAddress? LastAddress { get; set; }

    /// <summary>What is left until the deadline; may be negative.</summary>
    public TimeSpan Remaining(TimeProvider time)
    {
        var ticks = DeadlineTimestamp - time.GetTimestamp();
        return TimeSpan.FromTicks((long)(ticks * ((double)TimeSpan.TicksPerSecond / time.TimestampFrequency)));
    }
}
