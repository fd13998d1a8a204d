namespace Bff.Upstreams;

/// <summary>Reads the delay that an upstream asks for (RFC 9110 section 10.2.3), as seconds or as a date; at most an hour.</summary>
internal static class RetryAfter
{
    public static TimeSpan? Of(HttpResponseMessage? response, TimeProvider time)
    {
        if (response is null || (int)response.StatusCode < 400 || response.Headers.RetryAfter is not { } asked)
        {
            return null;
        }

        var delay = asked.Delta ?? asked.Date - time.GetUtcNow();
        // A date that has passed means no delay.
        return delay is { } wanted ? TimeSpan.FromTicks(Math.Clamp(wanted.Ticks, 0, TimeSpan.TicksPerHour)) : null;
    }
}
