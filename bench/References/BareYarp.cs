using Yarp.ReverseProxy.Configuration;

namespace Bff.Bench.References;

/// <summary>YARP as its documentation starts: one route, one cluster, every default.</summary>
internal static class BareYarp
{
    public static WebApplication Build(WebApplicationBuilder builder, string upstream)
    {
        builder.Services.AddReverseProxy().LoadFromMemory(Routes(policy: null), Clusters(upstream));
        var app = builder.Build();
        app.MapReverseProxy();
        return app;
    }

    public static IReadOnlyList<RouteConfig> Routes(string? policy) =>
        [
            new()
            {
                RouteId = "catalogue",
                ClusterId = "products",
                AuthorizationPolicy = policy,
                Match = new() { Path = "/catalogue/products", Methods = ["GET"] },
                Transforms = [new Dictionary<string, string> { ["PathSet"] = "/products" }],
            },
        ];

    public static IReadOnlyList<ClusterConfig> Clusters(string upstream) =>
        [
            new()
            {
                ClusterId = "products",
                Destinations = new Dictionary<string, DestinationConfig> { ["0"] = new() { Address = upstream } },
            },
        ];
}
