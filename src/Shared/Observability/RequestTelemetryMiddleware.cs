using System.Diagnostics;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;

namespace Bff.Observability;

/// <summary>1. Describes the server's span. 2. Writes one line to the access log when the request has ended, however it ended.</summary>
internal sealed class RequestTelemetryMiddleware(RequestDelegate next, AccessLog log, TimeProvider time, IConfiguration configuration)
{
    private readonly bool _recordsNothing = !TelemetryExport.IsExported(configuration, "TRACES");
    private readonly Func<object, Task> _note = context =>
    {
        log.Write(Line((HttpContext)context, time));
        return Task.CompletedTask;
    };

    public Task InvokeAsync(HttpContext context)
    {
        if (Activity.Current is { } span)
        {
            if (span.IsAllDataRequested)
            {
                ServerSpan.DescribeWhenDone(span, context);
            }
            else if (_recordsNothing)
            {
                ServerSpan.TakeSampledFlag(span);
            }
        }

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
            request.Degraded
        );
    }
}
