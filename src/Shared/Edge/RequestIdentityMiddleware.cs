using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>Gives every request its <see cref="BffRequest"/> and echoes the ids on every answer, errors included.</summary>
internal sealed class RequestIdentityMiddleware(RequestDelegate next, TimeProvider time)
{
    private const int MaxLength = 128;
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    public Task InvokeAsync(HttpContext context)
    {
        var requestId = Taken(context, "X-Request-Id") ?? Guid.CreateVersion7().ToString("N");
        var request = new BffRequest
        {
            HttpContext = context,
            RequestId = requestId,
            CorrelationId = Taken(context, "X-Correlation-Id") ?? requestId,
            StartTimestamp = time.GetTimestamp(),
        };
        context.Features.Set(request);
        context.Response.Headers["X-Request-Id"] = request.RequestId;
        context.Response.Headers["X-Correlation-Id"] = request.CorrelationId;
        return next(context);
    }

    private static string? Taken(HttpContext context, string header)
    {
        var values = context.Request.Headers[header];
        return values is [{ Length: > 0 and <= MaxLength } value] && !value.AsSpan().ContainsAnyExcept(Allowed) ? value : null;
    }
}
