namespace Bff.Upstreams;

/// <summary>The delay that an upstream asks for (RFC 9110 section 10.2.3), seconds form; bounded to an hour.</summary>
internal static class RetryAfter
{
    public static TimeSpan? Of(HttpResponseMessage? response) =>
        response is not null && (int)response.StatusCode >= 400 && response.Headers.RetryAfter?.Delta is { } delta && delta >= TimeSpan.Zero
            ? TimeSpan.FromTicks(Math.Min(delta.Ticks, TimeSpan.TicksPerHour))
            : null;
}
