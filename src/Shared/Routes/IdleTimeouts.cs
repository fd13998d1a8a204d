using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Bff.Routes;

/// <summary>
/// How long an exchange may be silent: <c>Metadata:IdleTimeout</c> of its route, else by what it is. The proxy's own limit, which is set
/// before it is known what will be answered, is the longest; answers have a shorter one of their own (<see cref="IdleTimeoutStream"/>).
/// </summary>
internal static class IdleTimeouts
{
    /// <summary>An answer that is no stream.</summary>
    public static readonly TimeSpan Answer = TimeSpan.FromSeconds(100);

    /// <summary>A WebSocket, an event stream, a gRPC stream.</summary>
    public static readonly TimeSpan Stream = TimeSpan.FromHours(1);

    private static readonly TimeSpan CloseLimit = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The proxy's own limit for a request; null where the cluster's stands. It cuts off, and so leaves a <see cref="RelayedSocket"/> the
    /// time to close before.
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

    /// <summary>Over HTTP/1.1 (RFC 6455) and HTTP/2 (RFC 8441).</summary>
    private static bool IsWebSocket(HttpContext context) =>
        context.Request.Headers.Upgrade.Count > 0 || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };
}
