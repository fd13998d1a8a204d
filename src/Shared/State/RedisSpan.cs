using System.Diagnostics;

namespace Bff.State;

/// <summary>
/// Creates client spans of Redis calls by OpenTelemetry's conventions for database clients. Spans contain no keys and values, because these
/// may contain personal data.
/// </summary>
internal static class RedisSpan
{
    private static readonly ActivitySource Source = new("Bff.State");

    public static Activity? Start(string command)
    {
        if (Activity.Current is not { Recorded: true } || !Source.HasListeners())
        {
            return null; // Unrecorded parents have no recorded spans, and the host's own background calls must not make one trace per call.
        }

        var span = Source.StartActivity(command, ActivityKind.Client);
        span?.SetTag("db.system.name", "redis");
        span?.SetTag("db.operation.name", command);
        return span;
    }

    /// <summary>Records the failure on the span. Always returns false, for use as an exception filter.</summary>
    public static bool Failed(Activity? span, Exception failure)
    {
        span?.SetTag("error.type", failure.GetType().FullName);
        span?.SetStatus(ActivityStatusCode.Error);
        return false;
    }
}
