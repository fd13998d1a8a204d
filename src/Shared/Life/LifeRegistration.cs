using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Bff.Life;

/// <summary>Registers what happens at the beginning and at the end.</summary>
internal static class LifeRegistration
{
    /// <summary>Health, warm-up, shutdown.</summary>
    public static WebApplicationBuilder AddLife(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ShutdownOptions>().BindConfiguration("Shutdown")
            .Validate(o => o.Delay >= TimeSpan.Zero && o.Delay <= TimeSpan.FromMinutes(5), "Shutdown:Delay: give a time span from 00:00:00 to 00:05:00.")
            .ValidateOnStart();
        services.AddOptions<HostOptions>().Configure<IOptions<ShutdownOptions>>(
            static (host, shutdown) => host.ShutdownTimeout = shutdown.Value.Delay + HostLife.InFlight);
        services.AddSingleton<HostLife>();
        services.AddHostedService(static provider => provider.GetRequiredService<HostLife>());
        if (!builder.Environment.IsDevelopment() && !builder.Environment.IsEnvironment("Testing"))
        {
            services.AddSingleton<IWarmup, SelfRequests>();
        }

        return builder;
    }
}
