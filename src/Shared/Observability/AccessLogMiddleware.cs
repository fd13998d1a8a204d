using System.Diagnostics;
using Bff.Edge;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Observability;

/// <summary>Notes one line per request when it has ended, however it ended.</summary>
internal sealed class AccessLogMiddleware(RequestDelegate next, AccessLog log, TimeProvider time)
{
    private readonly Func<object, Task> _note = context =>
    {
        log.Write(Line((HttpContext)context, time));
        return Task.CompletedTask;
    };

    public Task InvokeAsync(HttpContext context)
    {
        if (log.IsEnabled)
        {
            context.Response.OnCompleted(_note, context);
        }

        return next(context);
    }

    private static AccessLogLine Line(HttpContext context, TimeProvider time)
    {
        var request = BffRequest.Of(context);
        var caller = request.Caller;
        return new AccessLogLine(
            time.GetUtcNow(),
            context.Request.Method,
            (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText,
            context.Response.StatusCode,
            request.GrpcStatus,
            time.GetElapsedTime(request.StartTimestamp).TotalMilliseconds,
            request.RequestId,
            Activity.Current?.TraceId.ToHexString(),
            caller.IsAuthenticated ? caller.Subject : null,
            caller.Tenant,
            context.Connection.RemoteIpAddress,
            context.Request.Headers.UserAgent,
            request.Degraded);
    }
}
