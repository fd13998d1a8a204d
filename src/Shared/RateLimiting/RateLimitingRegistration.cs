using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.RateLimiting;

/// <summary>Registers the stage.</summary>
internal static class RateLimitingRegistration
{
    /// <summary>The caller's plan: burst, minute, day, cost units.</summary>
    public static WebApplicationBuilder AddRateLimiting(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
