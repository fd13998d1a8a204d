using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>The maximum size of a request's body: the route's limit, else that of the caller's plan, else the host's.</summary>
public static class BodyLimit
{
    /// <summary>The host's limit when <c>Kestrel:Limits:MaxRequestBodySize</c> is not set: 1 MiB.</summary>
    public const long DefaultBytes = 1024 * 1024;

    /// <summary>Sets the limit of this request, in bytes. Has no effect once the body is being read.</summary>
    public static void Set(HttpContext context, long bytes) => Apply(context, bytes);

    /// <summary>Does the same; null for no limit.</summary>
    internal static void Apply(HttpContext context, long? bytes)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = bytes;
        }
    }

    /// <summary>Whether the body announces a length above the limit. A body without a length is aborted while it is read.</summary>
    internal static bool IsExceeded(HttpContext context) =>
        context.Request.ContentLength > context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;
}

/// <summary>Metadata: a route's own limit, which wins over the plan's.</summary>
/// <param name="Bytes">The maximum size in bytes; null for no limit.</param>
internal sealed record RouteBodyLimit(long? Bytes);

/// <summary>
/// Sets the limit of the request. A body that announces a larger length is refused before a byte of it is read or forwarded, and after the
/// rate limits have counted the request. The server is not given a limit that this body exceeds: it would close the connection before the
/// client has read the reason.
/// </summary>
internal sealed class BodyLimitMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            return next(context);
        }

        var plan = BffRequest.Of(context).PlanBytes;
        var route = context.GetEndpoint()?.Metadata.GetMetadata<RouteBodyLimit>();
        if (route is null && plan is null)
        {
            return BodyLimit.IsExceeded(context) ? Refuse(context) : next(context);
        }

        var limit = route is null ? plan : route.Bytes;
        if (context.Request.ContentLength > limit)
        {
            return Refuse(context);
        }

        BodyLimit.Apply(context, limit);
        return next(context);
    }

    private static Task Refuse(HttpContext context) => ProblemWriter.Write(context, new Problem(ProblemCodes.PayloadTooLarge));
}
