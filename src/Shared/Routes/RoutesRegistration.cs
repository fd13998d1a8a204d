using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Routes;

/// <summary>Registers the stage.</summary>
internal static class RoutesRegistration
{
    /// <summary>Pass-through routes (YARP) from ReverseProxy:Routes, clusters from Upstreams.</summary>
    public static WebApplicationBuilder AddRoutes(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
