using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Caching;

/// <summary>Registers the stage.</summary>
internal static class CachingRegistration
{
    /// <summary>Fragments: in process, then Redis.</summary>
    public static WebApplicationBuilder AddCaching(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
