using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Bff.Configuration;

/// <summary>Registers what may change without a restart.</summary>
public static class ConfigurationRegistration
{
    internal static WebApplicationBuilder AddReloading(this WebApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(BrokenFiles.Of(builder.Configuration));
        builder.Services.TryAddSingleton<ReloadGate>();
        return builder;
    }

    /// <summary>
    /// Makes sections of the configuration reloadable as a <see cref="Reloadable{T}"/>: an edit takes effect only when this and every other
    /// reloadable section finds no mistake in it. Mistakes at start stop the host.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="sections">The sections that <typeparamref name="T"/> is made of, such as <c>Upstreams</c>. While they are as they were the snapshot stays the same object.</param>
    /// <param name="parse">
    /// Reads the whole configuration (root), adds every mistake with its key, and returns the snapshot, which is dropped if there was any mistake. Has no effects.
    /// </param>
    public static IServiceCollection AddReloadable<T>(
        this IServiceCollection services, string[] sections, Func<IConfiguration, ConfigurationMistakes, T> parse) where T : class
    {
        var reloadable = new Reloadable<T>(sections, parse);
        services.AddSingleton<IReloadable>(reloadable);
        services.AddSingleton(provider =>
        {
            provider.GetRequiredService<ReloadGate>().Load();
            return reloadable;
        });
        return services;
    }

    /// <summary>Checks everything before the host starts: reloadable sections and options with <c>ValidateOnStart</c>; all mistakes in one report.</summary>
    /// <exception cref="InvalidConfigurationException">With every mistake.</exception>
    internal static void CheckConfiguration(this WebApplication app) =>
        app.Services.GetRequiredService<ReloadGate>().Load(app.Services.GetService<IStartupValidator>());
}
