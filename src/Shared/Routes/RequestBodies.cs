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
/// What becomes of the body of a request that passes through, by a configured route or by an endpoint of the host's:
/// 1. a body that a further attempt or an idempotency key needs is read whole before anything goes upstream, a gRPC stream never; 2. any
/// other is sent on while it arrives;
/// 3. whatever was wrong with it (broken off, malformed, too large, too slow), the sender is told so (400, 408, 413), and the service is
/// not blamed.
/// </summary>
internal static class RequestBodies
{
    public static void UseRequestBodies(this IApplicationBuilder proxy) => proxy.Use(static (context, next) => Pass(context, next));

    /// <summary>Passes the request on.</summary>
    public static Task Pass(HttpContext context, RequestDelegate send)
    {
        if (HttpMethods.IsTrace(context.Request.Method) || IsTunnel(context))
        {
            // A service answers TRACE with what it was sent (RFC 9110 section 9.3.8): the gateway's tokens and words of identity among it.
            // CONNECT asks for a tunnel (section 9.3.6), and a gateway makes none.
            context.Response.Headers.Allow = RequestGateMiddleware.Methods;
            throw new ProblemException(new Problem(ProblemCodes.MethodNotAllowed));
        }

        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && !RelayedSockets.IsAsked(context.Request))
        {
            // The proxy would pass on SPDY too, as a tunnel that nothing looks into. An upgrade may be ignored (RFC 9110 section 7.8).
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
        && context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect != true;

    private static bool IsTunnel(HttpContext context) =>
        HttpMethods.IsConnect(context.Request.Method) && context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect != true;

    private static bool IsStream(HttpRequest request) =>
        HttpProtocol.IsHttp2(request.Protocol)
        && MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase);
}
