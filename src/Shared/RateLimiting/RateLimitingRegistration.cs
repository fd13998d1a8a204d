using Bff.Callers;
using Bff.Configuration;
using Bff.State;
using Bff.Tenancy;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.RateLimiting;

/// <summary>Registers the rate limiting stage.</summary>
public static class RateLimitingRegistration
{
    /// <summary>Registers plans, buckets and limits.</summary>
    internal static WebApplicationBuilder AddRateLimiting(this WebApplicationBuilder builder)
    {
        var properties = ((IHostApplicationBuilder)builder).Properties;
        builder.Services.AddReloadable(
            ["Plans", "Limits", "Tenants", "Upstreams"],
            (configuration, mistakes) => LimitSettingsReader.Read(configuration, Family(properties), mistakes)
        );
        builder.Services.AddStore<ILimitStore, RedisLimitStore, EmbeddedLimitStore>(builder.Configuration);
        builder.Services.AddSingleton<LocalLimits>();
        builder.Services.AddReloadable(["FailedCredentials"], FailedCredentialSettings.Parse);
        builder.Services.AddSingleton<IFailedCredentials, FailedCredentials>();
        builder.Services.AddSingleton<LimitLeases>();
        builder.Services.AddSingleton<LeasedLimits>();
        builder.Services.AddSingleton<BucketRegistry>();
        builder.Services.AddSingleton<CallerLimitsCache>();
        builder.Services.AddSingleton<RateLimitMetrics>();
        builder.Services.AddSingleton<LimitDecider>();
        builder.Services.AddSingleton(s => ActivatorUtilities.CreateInstance<RateLimiterFactory>(s).Create());
        builder.Services.AddHostedService<LeaseReturn>();
        return builder;
    }

    /// <summary>
    /// Chooses the plans that the host ships with, and the rule that determines a caller's plan. Default: <see cref="PlanFamily.Users"/>.
    /// </summary>
    public static WebApplicationBuilder AddPlans(this WebApplicationBuilder builder, PlanFamily family)
    {
        ((IHostApplicationBuilder)builder).Properties[typeof(PlanFamily)] = family;
        return builder;
    }

    private static PlanFamily Family(IDictionary<object, object> properties) =>
        properties.TryGetValue(typeof(PlanFamily), out var family) ? (PlanFamily)family : PlanFamily.Users;

    private sealed class RateLimiterFactory(
        LimitDecider decider,
        CallerLimitsCache callers,
        ITenants tenants,
        Reloadable<LimitSettings> settings,
        ILimitStore store,
        TimeProvider time
    )
    {
        public RateLimiter Create() => new(decider, callers, tenants, settings, store, time);
    }
}
