using Microsoft.AspNetCore.Builder;
using Yarp.ReverseProxy.Model;

namespace Bff.Routes;

/// <summary>A WebSocket may be silent for longer than an answer may.</summary>
internal static class StreamPatience
{
    private static readonly TimeSpan SilentFor = TimeSpan.FromHours(1);

    public static void UseStreamPatience(this IReverseProxyApplicationBuilder proxy) =>
        proxy.Use((context, next) =>
        {
            if (context.Request.Headers.Upgrade.Count > 0 && context.Features.Get<IReverseProxyFeature>() is { } feature)
            {
                var cluster = feature.Cluster;
                var patient = (cluster.Config.HttpRequest ?? new()) with { ActivityTimeout = SilentFor };
                context.Features.Set<IReverseProxyFeature>(new ReverseProxyFeature
                {
                    Route = feature.Route,
                    Cluster = new ClusterModel(cluster.Config with { HttpRequest = patient }, cluster.HttpClient),
                    AllDestinations = feature.AllDestinations,
                    AvailableDestinations = feature.AvailableDestinations,
                    ProxiedDestination = feature.ProxiedDestination,
                });
            }

            return next(context);
        });
}
