using Bff.Edge;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Bff.Routes;

/// <summary>
/// Handles the body of a forwarded request, on a configured route or at an endpoint of the host:
/// 1. a body that a retry or an idempotency key needs is read completely before anything goes upstream, but never a gRPC stream; 2. any
/// other body is forwarded while it arrives;
/// 3. a faulty body (broken off, malformed, too large, too slow) is the client's error (400, 408, 413) and does not count against the
/// service.
/// </summary>
internal static class RequestBodies
{
    public static void UseRequestBodies(this IApplicationBuilder proxy) => proxy.Use(static (context, next) => Pass(context, next));

    /// <summary>Forwards the request.</summary>
    public static Task Pass(HttpContext context, RequestDelegate send)
    {
        if (HttpMethods.IsTrace(context.Request.Method) || IsTunnel(context))
        {
            // A service answers TRACE with the request it got (RFC 9110 section 9.3.8), including the gateway's tokens and identity
            // assertions. CONNECT asks for a tunnel (section 9.3.6), which the gateway does not provide.
            context.Response.Headers.Allow = RequestGateMiddleware.Methods;
            throw new ProblemException(new Problem(ProblemCodes.MethodNotAllowed));
        }

        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && !RelayedSockets.IsAsked(context.Request))
        {
            // The proxy would forward SPDY too, as an unchecked tunnel. An upgrade may be ignored (RFC 9110 section 7.8).
            context.Features.Set<IHttpUpgradeFeature>(null);
        }

        ForwardedHead.Check(context);
        return HasBody(context) ? WithBody(context, send) : send(context);
    }

    private static async Task WithBody(HttpContext context, RequestDelegate send)
    {
        var request = BffRequest.Of(context);
        var isCall = context.Features.Get<GrpcCall>() is not null;
        if (!isCall && Repeatable.IsRepeatable(context.Request))
        {
            await RequestBody.Hold(context, context.RequestAborted); // 1.
        }
        else if (request.Held is null)
        {
            var time = context.RequestServices.GetRequiredService<TimeProvider>();
            var arriving = new ArrivingBody(context, time, isCall || IsStream(context.Request)); // 2.
            context.Request.Body = arriving;
            context.Features.Set(arriving);
        }

        await send(context);
        if (request.BodyFault is { } fault && !context.Response.HasStarted)
        {
            throw new BadHttpRequestException(fault.Message, fault.StatusCode, fault); // 3.
        }
    }

    private static bool HasBody(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
        && context.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest != true
        && !RelayedSockets.IsConnect(context);

    private static bool IsTunnel(HttpContext context) =>
        HttpMethods.IsConnect(context.Request.Method) && !RelayedSockets.IsConnect(context);

    private static bool IsStream(HttpRequest request) =>
        HttpProtocol.IsHttp2(request.Protocol)
        && MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase);
}
