using Bff.Edge;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Routes;

/// <summary>
/// Reads a proxied request's body before anything goes upstream, so that a client that is slow, breaks off or sends too much is answered by the edge
/// (408, 400, 413) and neither occupies a place at the service nor counts as its failure. Bodies that may exceed <see cref="BodyLimit.DefaultBytes"/>
/// (a plan allows them) are streamed.
/// </summary>
internal static class RequestBuffering
{
    public static void UseRequestBuffering(this IApplicationBuilder proxy) => proxy.Use(static (context, next) => IsSmallBody(context) ? Buffered(context, next) : next(context));

    /// <summary>The same for a host's own pass-through endpoints.</summary>
    public static ValueTask Read(HttpContext context) => IsSmallBody(context) ? new(RequestBody.Read(context, context.RequestAborted).AsTask()) : default;

    private static async Task Buffered(HttpContext context, RequestDelegate next)
    {
        await RequestBody.Read(context, context.RequestAborted);
        await next(context);
    }

    private static bool IsSmallBody(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
        && context.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest != true
        && context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect != true
        && (context.Request.ContentLength ?? context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize) <= BodyLimit.DefaultBytes;
}
