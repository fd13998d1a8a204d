using System.Buffers;
using System.Diagnostics;
using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>Gives every request its <see cref="BffRequest"/>, whose ids <see cref="ResponseHeaders"/> adds to every response.</summary>
internal sealed class RequestIdentityMiddleware(RequestDelegate next, TimeProvider time, Reloadable<EdgeSettings> settings)
{
    private const int MaxLength = 128;
    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
    );

    public Task InvokeAsync(HttpContext context)
    {
        var requestId = Taken(context, "X-Request-Id") ?? RequestId.New(time.GetUtcNow());
        var request = new BffRequest
        {
            HttpContext = context,
            RequestId = requestId,
            CorrelationId = Taken(context, "X-Correlation-Id") ?? requestId,
            StartTimestamp = time.GetTimestamp(),
            VariesByOrigin = settings.Current.Cors is not null,
        };
        context.Features.Set(request);
        context.Response.OnStarting(ResponseHeaders.OnStarting, request);
        TakeTraceContext(context.Request.Headers);
        return next(context);
    }

    /// <summary>
    /// Removes the trace headers. The request's activity has already read what is trusted, and the client's values must not be copied to
    /// services.
    /// </summary>
    private static void TakeTraceContext(IHeaderDictionary headers)
    {
        if (Activity.Current is not null)
        {
            headers.TraceParent = default;
            headers.TraceState = default;
            headers.Baggage = default;
        }
    }

    private static string? Taken(HttpContext context, string header)
    {
        var values = context.Request.Headers[header];
        return values is [{ Length: > 0 and <= MaxLength } value] && !value.AsSpan().ContainsAnyExcept(Allowed) ? value : null;
    }
}
