using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Upstreams;

/// <summary>Registers the stage.</summary>
internal static class UpstreamsRegistration
{
    /// <summary>Typed clients and YARP share one registry of upstreams.</summary>
    public static WebApplicationBuilder AddUpstreams(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
