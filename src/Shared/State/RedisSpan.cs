using System.Diagnostics;

namespace Bff.State;

/// <summary>
/// Client spans of Redis calls, as OpenTelemetry's conventions for database clients name them. Keys and values, which may name a person,
/// are not in them.
/// </summary>
internal static class RedisSpan
{
    private static readonly ActivitySource Source = new("Bff.State");

    public static Activity? Start(string command)
    {
        if (Activity.Current is not { Recorded: true } || !Source.HasListeners())
        {
            return null; // Below a span that is not recorded nothing is; what the host does for itself makes no traces of one call each.
        }

        var span = Source.StartActivity(command, ActivityKind.Client);
        span?.SetTag("db.system.name", "redis");
        span?.SetTag("db.operation.name", command);
        return span;
    }

    /// <summary>Notes the failure and never handles it: an exception filter.</summary>
    public static bool Failed(Activity? span, Exception failure)
    {
        span?.SetTag("error.type", failure.GetType().FullName);
        span?.SetStatus(ActivityStatusCode.Error);
        return false;
    }
}
