using Bff.Configuration;
using Bff.RateLimiting;
using Bff.State;
using Bff.Tenancy;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Tenants;

/// <summary>Registers tenants and plan changes.</summary>
public static class TenantsRegistration
{
    /// <summary>Registers the tenants of the store and of the configuration.</summary>
    internal static WebApplicationBuilder AddTenants(this WebApplicationBuilder builder)
    {
        builder.Services.AddStore<ITenantStore, RedisTenantStore, EmbeddedTenantStore>(builder.Configuration);
        builder.Services.AddSingleton<TenantDirectory>();
        builder.Services.AddSingleton<ITenants>(static provider => provider.GetRequiredService<TenantDirectory>());
        builder.Services.AddSingleton<TenantChanges>();
        return builder;
    }

    /// <summary>Registers requests of tenants for other plans. Maps no endpoint.</summary>
    public static WebApplicationBuilder AddPlanChanges(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<PlanEvents>();
        builder.Services.AddHostedService(static provider => provider.GetRequiredService<PlanEvents>());
        builder.Services.AddSingleton(static provider => new PlanChanges(
            provider.GetRequiredService<ITenantStore>(),
            provider.GetRequiredService<TenantChanges>(),
            provider.GetRequiredService<PlanEvents>(),
            provider.GetRequiredService<Reloadable<LimitSettings>>()
        ));
        return builder;
    }
}
