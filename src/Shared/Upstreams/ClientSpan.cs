using System.Diagnostics;
using System.Globalization;
using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>
/// Writes the span of one attempt (OpenTelemetry semantic conventions for HTTP clients 1.29) and its trace context (W3C Trace Context 1).
/// It replaces the framework's span, which is created for every call, recorded or not.
/// </summary>
internal static class ClientSpan
{
    private static readonly ActivitySource Source = new("Bff.Upstreams");

    /// <summary>
    /// Starts a span if the request is recorded, and sends its context to the service, or else that of the request's own span.
    /// </summary>
    public static Activity? Start(HttpRequestMessage request, string upstream)
    {
        var parent = Activity.Current;
        if (parent is null)
        {
            return null;
        }

        var span = Instruments.Records(Source) ? Source.StartActivity(request.Method.Method, ActivityKind.Client) : null;
        var told = span ?? parent;
        if (told.IdFormat == ActivityIdFormat.W3C)
        {
            request.Headers.TryAddWithoutValidation("traceparent", told.Id);
            if (told.TraceStateString is { Length: > 0 } state)
            {
                request.Headers.TryAddWithoutValidation("tracestate", state);
            }
        }

        if (span is not null)
        {
            var uri = request.RequestUri!;
            span.SetTag("http.request.method", request.Method.Method);
            span.SetTag("server.address", uri.Host);
            span.SetTag("server.port", uri.Port);
            span.SetTag("url.full", uri.GetLeftPart(UriPartial.Authority)); // Paths contain ids.
            span.SetTag("bff.upstream", upstream);
        }

        return span;
    }

    /// <summary>Adds the answer to the span, and ends it.</summary>
    public static void Answered(Activity? span, HttpResponseMessage response)
    {
        if (span is null)
        {
            return;
        }

        var status = (int)response.StatusCode;
        span.SetTag("http.response.status_code", status);
        span.SetTag(
            "network.protocol.version",
            response.Version.Major >= 2 ? response.Version.Major.ToString(CultureInfo.InvariantCulture) : "1.1"
        );
        if (status >= 400)
        {
            span.SetTag("error.type", status.ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error);
        }

        span.Dispose();
    }

    /// <summary>Adds the error to the span, and ends it.</summary>
    public static void Broke(Activity? span, Exception broken)
    {
        span?.SetTag("error.type", broken.GetType().FullName);
        span?.SetStatus(ActivityStatusCode.Error);
        span?.Dispose();
    }
}
