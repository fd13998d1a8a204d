using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Observability;

/// <summary>
/// Says of the framework's server span what it does not say itself in .NET 10: the name, the route and the status (OpenTelemetry's conventions for HTTP spans).
/// </summary>
internal static class ServerSpan
{
    private const string Method = "http.request.method";

    /// <summary>For a span that is recorded; the route and the status are known when the answer is complete.</summary>
    public static void DescribeWhenDone(Activity span, HttpContext context) =>
        context.Response.OnCompleted(
            static state =>
            {
                var (span, context) = ((Activity, HttpContext))state;
                Describe(span, context);
                return Task.CompletedTask;
            },
            (span, context));

    private static void Describe(Activity span, HttpContext context)
    {
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        var status = context.Response.StatusCode;
        span.DisplayName = route is null ? $"{span.GetTagItem(Method)}" : $"{span.GetTagItem(Method)} {route}";
        span.SetTag("http.route", route);
        span.SetTag("http.response.status_code", status);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetTag("error.type", status.ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
