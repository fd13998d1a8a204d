using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>The largest body that a request may have: the route's, else the caller's plan's, else the host's own.</summary>
public static class BodyLimit
{
    /// <summary>1 MiB, unless <c>Kestrel:Limits:MaxRequestBodySize</c> says otherwise.</summary>
    public const long DefaultBytes = 1024 * 1024;

    /// <summary>Lowers or raises the limit of this request, in bytes. Without effect once the body is being read.</summary>
    public static void Set(HttpContext context, long bytes) => Apply(context, bytes);

    /// <summary>The same; null: no limit.</summary>
    internal static void Apply(HttpContext context, long? bytes)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = bytes;
        }
    }

    /// <summary>Whether the body says itself that it is too large; one that does not say is cut off while it is read.</summary>
    internal static bool IsExceeded(HttpContext context) =>
        context.Request.ContentLength > context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;
}

/// <summary>Metadata: what a route says of its bodies, whatever a plan says.</summary>
/// <param name="Bytes">The largest; null: any.</param>
internal sealed record RouteBodyLimit(long? Bytes);

/// <summary>
/// Sets the limit that holds for the request, and refuses a body that announces itself as larger before a byte of it is read or forwarded,
/// and after its caller has paid for the request. The server must not hear of a limit that its message exceeds: it would end the connection
/// before the sender has read why.
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
