using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>The largest body that a request may have. 1 MiB unless a later stage (a plan's <c>MaxPayloadBytes</c>) says otherwise before the body is read.</summary>
public static class BodyLimit
{
    /// <summary>1 MiB.</summary>
    public const long DefaultBytes = 1024 * 1024;

    /// <summary>Lowers or raises the limit of this request, in bytes. Without effect once the body is being read.</summary>
    public static void Set(HttpContext context, long bytes)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = bytes;
        }
    }

    /// <summary>
    /// Lowers the limit of this request to so many bytes, unless it is lower. A body without a length is cut off by the server while it is
    /// read; of one that announces more the server must not hear: it would end the connection before the sender has read why.
    /// </summary>
    internal static void Lower(HttpContext context, long bytes)
    {
        if (context.Request.ContentLength > bytes)
        {
            BffRequest.Of(context).IsBodyTooLarge = true;
        }
        else if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body
            && !(body.MaxRequestBodySize <= bytes))
        {
            body.MaxRequestBodySize = bytes;
        }
    }

    /// <summary>Whether the body says itself that it is too large; one that does not say is cut off while it is read.</summary>
    internal static bool IsExceeded(HttpContext context) =>
        context.Request.ContentLength > context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;
}

/// <summary>
/// Refuses a body that announces itself as too large before a byte of it is read or forwarded, and after its caller has paid for the
/// request.
/// </summary>
internal sealed class BodyLimitMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) =>
        context.Request.ContentLength > 0 && (BffRequest.Of(context).IsBodyTooLarge || BodyLimit.IsExceeded(context))
            ? ProblemWriter.Write(context, new Problem(ProblemCodes.PayloadTooLarge))
            : next(context);
}
