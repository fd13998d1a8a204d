using Bff.Life;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Model;

namespace Bff.Routes;

/// <summary>
/// Puts a <see cref="RelayedSocket"/> between the proxy and the client of a WebSocket, over HTTP/1.1 (RFC 6455) and HTTP/2 (RFC 8441).
/// </summary>
internal static class RelayedSockets
{
    private const string WebSocket = "websocket",
        Version = "13";

    public static void UseRelayedSockets(this IReverseProxyApplicationBuilder proxy) =>
        proxy.Use(
            static (context, next) =>
            {
                if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade && IsAsked(context.Request))
                {
                    CheckVersion(context);
                    context.Features.Set<IHttpUpgradeFeature>(new Upgrade(context, upgrade));
                }
                else if (IsConnect(context))
                {
                    var connect = context.Features.GetRequiredFeature<IHttpExtendedConnectFeature>();
                    context.Features.Set<IHttpExtendedConnectFeature>(new Connect(context, connect));
                }

                return next(context);
            }
        );

    /// <summary>
    /// Whether a request of HTTP/1.1 asks for an upgrade to a WebSocket and nothing else. It must be a GET (RFC 6455 section 4.1): the
    /// proxy sends every upgrade as a GET, and a request that was authorized as a POST must not arrive as a GET.
    /// </summary>
    public static bool IsAsked(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && request.Headers.Upgrade is [{ } protocol]
        && protocol.Equals(WebSocket, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a request of HTTP/2 or HTTP/3 opens a WebSocket (RFC 8441 section 4). The name has to match exactly: the proxy ignores its
    /// case, and would open a socket that nothing relays.
    /// </summary>
    public static bool IsConnect(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: WebSocket };

    /// <summary>Refuses any version but 13. The refusal names the supported version (RFC 6455 section 4.4).</summary>
    private static void CheckVersion(HttpContext context)
    {
        if (context.Request.Headers.SecWebSocketVersion is not [Version])
        {
            var headers = context.Response.Headers;
            (headers.SecWebSocketVersion, headers.Upgrade, headers.Connection) = (Version, WebSocket, "Upgrade");
            throw new ProblemException(
                new Problem(ProblemCodes.ForStatus(StatusCodes.Status426UpgradeRequired)!)
                {
                    Detail = "Open the WebSocket with Sec-WebSocket-Version: 13.",
                }
            );
        }
    }

    private static RelayedSocket Relay(HttpContext context, Stream client) =>
        new(
            client,
            RouteParser.IdleTimeoutOf(context.Features.Get<IReverseProxyFeature>()?.Route.Config) ?? IdleTimeouts.Stream,
            context.RequestServices.GetRequiredService<TimeProvider>(),
            context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>().Abort,
            context.RequestServices.GetRequiredService<HostLife>().Draining
        );

    private sealed class Upgrade(HttpContext context, IHttpUpgradeFeature inner) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => inner.IsUpgradableRequest;

        public async Task<Stream> UpgradeAsync() => Relay(context, await inner.UpgradeAsync());
    }

    private sealed class Connect(HttpContext context, IHttpExtendedConnectFeature inner) : IHttpExtendedConnectFeature
    {
        public bool IsExtendedConnect => inner.IsExtendedConnect;

        public string? Protocol => inner.Protocol;

        public async ValueTask<Stream> AcceptAsync() => Relay(context, await inner.AcceptAsync());
    }
}
