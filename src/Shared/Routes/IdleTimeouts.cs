using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Bff.Routes;

/// <summary>
/// Idle timeouts of exchanges: <c>Metadata:IdleTimeout</c> of the route, or a default by kind. The proxy's own timeout is set before the
/// kind of the answer is known, so it is the longest; answers have a shorter one of their own (<see cref="IdleTimeoutStream"/>).
/// </summary>
internal static class IdleTimeouts
{
    /// <summary>Idle timeout of an answer that is not a stream.</summary>
    public static readonly TimeSpan Answer = TimeSpan.FromSeconds(100);

    /// <summary>Idle timeout of a WebSocket, an event stream or a gRPC stream.</summary>
    public static readonly TimeSpan Stream = TimeSpan.FromHours(1);

    private static readonly TimeSpan CloseLimit = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Returns the proxy's own timeout for a request; null for the cluster's. It aborts the exchange, so it leaves a
    /// <see cref="RelayedSocket"/> time to close first.
    /// </summary>
    public static TimeSpan? ActivityTimeout(HttpContext context, RouteConfig route) =>
        IsWebSocket(context) ? (RouteParser.IdleTimeoutOf(route) ?? Stream) + CloseLimit
        : RouteParser.IdleTimeoutOf(route) is { } idle && idle > Stream ? idle
        : null;

    public static void UseIdleTimeouts(this IReverseProxyApplicationBuilder proxy) =>
        proxy.Use(
            (context, next) =>
            {
                if (
                    context.Features.Get<IReverseProxyFeature>() is { } feature
                    && ActivityTimeout(context, feature.Route.Config) is { } idle
                )
                {
                    var cluster = feature.Cluster;
                    context.Features.Set<IReverseProxyFeature>(
                        new ReverseProxyFeature
                        {
                            Route = feature.Route,
                            Cluster = new ClusterModel(
                                cluster.Config with
                                {
                                    HttpRequest = (cluster.Config.HttpRequest ?? new()) with { ActivityTimeout = idle },
                                },
                                cluster.HttpClient
                            ),
                            AllDestinations = feature.AllDestinations,
                            AvailableDestinations = feature.AvailableDestinations,
                            ProxiedDestination = feature.ProxiedDestination,
                        }
                    );
                }

                return next(context);
            }
        );

    /// <summary>Whether the request opens a WebSocket, over HTTP/1.1 (RFC 6455) or HTTP/2 (RFC 8441).</summary>
    private static bool IsWebSocket(HttpContext context) =>
        context.Request.Headers.Upgrade.Count > 0 || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };
}
