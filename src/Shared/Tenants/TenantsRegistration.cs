using Bff.Audit;
using Bff.RateLimiting;
using Bff.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Tenants;

/// <summary>Registers the tenants.</summary>
internal static class TenantsRegistration
{
    /// <summary>Those of the store and of the configuration.</summary>
    public static WebApplicationBuilder AddTenants(this WebApplicationBuilder builder)
    {
        builder.Services.AddStore<ITenantStore, RedisTenantStore, EmbeddedTenantStore>(builder.Configuration);
        builder.Services.AddSingleton<TenantDirectory>();
        builder.Services.AddSingleton<ITenants>(static provider => provider.GetRequiredService<TenantDirectory>());
        builder.Services.AddSingleton<TenantChanges>();
        return builder;
    }
}
