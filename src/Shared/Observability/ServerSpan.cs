using System.Diagnostics;
using System.Globalization;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Observability;

/// <summary>
/// Adds to the framework's server span what .NET 10 leaves out: the name and the attributes of OpenTelemetry's conventions for HTTP spans.
/// The framework can collect them itself, but would do so for every request, recorded or not.
/// </summary>
internal static class ServerSpan
{
    /// <summary>Describes a recorded span when the answer is complete, because route and status are known only then.</summary>
    public static void DescribeWhenDone(Activity span, HttpContext context) =>
        context.Response.OnCompleted(
            static state =>
            {
                var (span, context) = ((Activity, HttpContext))state;
                Describe(span, context);
                return Task.CompletedTask;
            },
            (span, context)
        );

    /// <summary>
    /// Takes over the client's sampled flag, because a host that records nothing must not decide for the services behind it (W3C Trace
    /// Context 1, section 3.2.2.5.1).
    /// </summary>
    public static void TakeSampledFlag(Activity span)
    {
        if (span.HasRemoteParent && span.ParentId is [.., '1' or '3' or '5' or '7' or '9' or 'b' or 'd' or 'f'])
        {
            span.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
        }
    }

    private static void Describe(Activity span, HttpContext context)
    {
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        var status = context.Response.StatusCode;
        var method = context.Request.Method;
        span.DisplayName = route is null ? method : $"{method} {route}";
        span.SetTag("http.request.method", method);
        span.SetTag("http.route", route);
        span.SetTag("url.path", route); // The route, because paths hold ids.
        span.SetTag("url.scheme", context.Request.Scheme);
        span.SetTag("server.address", context.Request.Host.Host);
        span.SetTag(
            "network.protocol.version",
            context.Request.Protocol.StartsWith("HTTP/", StringComparison.Ordinal) ? context.Request.Protocol[5..] : null
        );
        span.SetTag("http.response.status_code", status);
        if (BffRequest.Of(context).GrpcStatus is { } outcome)
        {
            span.SetTag("rpc.system", "grpc");
            span.SetTag("rpc.grpc.status_code", outcome);
            if (GrpcCode.IsServerError(outcome))
            {
                span.SetTag("error.type", outcome.ToString(CultureInfo.InvariantCulture));
                span.SetStatus(ActivityStatusCode.Error);
            }
        }

        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetTag("error.type", status.ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
