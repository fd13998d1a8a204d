using Bff.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.Life;

/// <summary>Registers what happens at the start and the end of a host.</summary>
internal static class LifeRegistration
{
    /// <summary>Registers health, warm-up and shutdown.</summary>
    public static WebApplicationBuilder AddLife(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<ShutdownOptions>();
        // Not read through the options: the framework asks for this before settings are checked, and a mistake must be reported with all
        // others.
        services
            .AddOptions<HostOptions>()
            .Configure<IConfiguration>(
                static (host, configuration) =>
                    host.ShutdownTimeout = HostLife.InFlight + new ConfigurationMistakes().Read<ShutdownOptions>(configuration).Delay
            );
        services.AddSingleton<HostLife>();
        services.AddHostedService(static provider => provider.GetRequiredService<HostLife>());
        if (!builder.Environment.IsDevelopment() && !builder.Environment.IsEnvironment("Testing"))
        {
            services.AddSingleton<IWarmup, SelfRequests>();
        }

        return builder;
    }
}
