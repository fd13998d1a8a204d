using Bff.Configuration;
using Bff.Tenancy;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Bff.Admission;

/// <summary>Registers admission.</summary>
internal static class AdmissionRegistration
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(1);

    /// <summary>Adds the limit of concurrent requests. Under overload, low priority is shed first.</summary>
    public static WebApplicationBuilder AddAdmission(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<AdmissionOptions>();
        services.AddSingleton(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<AdmissionOptions>>().Value;
            return new AdaptiveLimit(options.MinConcurrency, options.MaxConcurrency);
        });
        services.AddSingleton(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<AdmissionOptions>>().Value;
            return new AdmissionGate(
                provider.GetRequiredService<AdaptiveLimit>(),
                options.MaxQueue ?? options.MaxConcurrency,
                MaxWait,
                provider.GetRequiredService<TimeProvider>()
            );
        });
        services.AddSingleton<TenantSlots>();
        services.AddSingleton<AdmissionMetrics>();
        services.TryAddSingleton<AdmissionClassifier>(static request =>
            request.Tenant is { } tenant
                ? new(tenant.Priority, tenant.Id, tenant.MaxConcurrency)
                : new AdmissionClass(TenantPriority.Normal)
        );
        return builder;
    }
}
