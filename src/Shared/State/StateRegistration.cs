using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.State;

/// <summary>Registers the stage.</summary>
internal static class StateRegistration
{
    /// <summary>The Redis connection, or the embedded stores.</summary>
    public static WebApplicationBuilder AddState(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
