using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Composition;

/// <summary>Registers the stage.</summary>
internal static class CompositionRegistration
{
    /// <summary>Parts run in parallel inside one deadline.</summary>
    public static WebApplicationBuilder AddComposition(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
