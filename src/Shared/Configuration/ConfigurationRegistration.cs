using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Bff.Configuration;

/// <summary>Registers settings and their reload.</summary>
public static class ConfigurationRegistration
{
    internal static WebApplicationBuilder AddReloading(this WebApplicationBuilder builder)
    {
        FailedStart.Watch();
        ListenAddresses.PreferEnvironment(builder.Configuration);
        builder.Services.AddSingleton(SettingsCheck.Of(builder.Configuration));
        StopAtLogLevels(builder.Configuration);
        builder.Services.AddSingleton<IValidateOptions<ListenAddresses>, ListenAddressesValidator>();
        builder.Services.AddOptions<ListenAddresses>().ValidateOnStart();
        builder.Services.TryAddSingleton(BrokenFiles.Of(builder.Configuration));
        builder.Services.TryAddSingleton<SettingsMetrics>();
        builder.Services.AddReads<UnknownKeySettings>(reloads: true, "Settings");
        builder.Services.TryAddSingleton<UnknownKeys>();
        builder.Services.TryAddSingleton<ReloadGate>();
        return builder;
    }

    /// <summary>
    /// Stops the host on wrong log levels. This happens first, because the host cannot create its log and would not reach the check of the
    /// rest.
    /// </summary>
    private static void StopAtLogLevels(IConfiguration configuration)
    {
        var mistakes = new ConfigurationMistakes();
        LogLevels.Check(configuration, mistakes);
        if (mistakes.All.Count > 0)
        {
            throw new InvalidConfigurationException(mistakes.All);
        }
    }

    /// <summary>
    /// Makes sections of the configuration reloadable as a <see cref="Reloadable{T}"/>. An edit takes effect only when no reloadable
    /// section finds a mistake in it. Mistakes at start stop the host.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="sections">The sections that <typeparamref name="T"/> is read from, such as <c>Upstreams</c>. While they are unchanged,
    /// the snapshot stays the same object.</param>
    /// <param name="parse">
    /// Reads the whole configuration from its root, adds every mistake with its key, and returns the snapshot. The snapshot is dropped if
    /// there was a mistake. Must have no side effects.
    /// </param>
    public static IServiceCollection AddReloadable<T>(
        this IServiceCollection services,
        string[] sections,
        Func<IConfiguration, ConfigurationMistakes, T> parse
    )
        where T : class => services.AddReloadable(sections, (_, configuration, mistakes) => parse(configuration, mistakes));

    /// <summary>
    /// Does the same for settings that need other services to be checked. None of those services may depend on a
    /// <see cref="Reloadable{T}"/>.
    /// </summary>
    internal static IServiceCollection AddReloadable<T>(
        this IServiceCollection services,
        string[] sections,
        Func<IServiceProvider, IConfiguration, ConfigurationMistakes, T> parse
    )
        where T : class
    {
        services.AddKeyedSingleton(
            nameof(ReloadGate),
            (provider, _) => new Reloadable<T>(sections, (configuration, mistakes) => parse(provider, configuration, mistakes))
        );
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredKeyedService<Reloadable<T>>(nameof(ReloadGate)));
        services.AddReads<T>(reloads: true, sections);
        services.AddSingleton(static provider =>
        {
            provider.GetRequiredService<ReloadGate>().Load();
            return provider.GetRequiredKeyedService<Reloadable<T>>(nameof(ReloadGate));
        });
        return services;
    }

    /// <summary>
    /// Adds options that are read once at start, as their members declare (<see cref="SettingAttribute"/>). Mistakes stop the host. A later
    /// edit with a mistake is refused, although it takes effect only at the next start, because otherwise that start would fail.
    /// </summary>
    public static IServiceCollection AddSettings<T>(this IServiceCollection services)
        where T : class, new()
    {
        var section = ConfigurationMistakes.SectionOf<T>();
        services.AddReads<T>(reloads: false, section);
        services.AddSingleton<IReloadable, StartSettings<T>>();
        services
            .AddOptions<T>()
            .Configure<IConfiguration>(
                (settings, configuration) => new ConfigurationMistakes().Bind(configuration.GetSection(section), settings)
            )
            .ValidateOnStart();
        return services;
    }

    /// <summary>Declares sections that other code reads, such as a library's or the team's own. All keys below them are known.</summary>
    public static IServiceCollection AddForeignSettings(this IServiceCollection services, params ReadOnlySpan<string> sections)
    {
        services.AddReads<ConfigurationRead>(reloads: true, sections);
        return services;
    }

    /// <typeparam name="T">The type that is read from the sections. Its assembly declares their keys.</typeparam>
    internal static void AddReads<T>(this IServiceCollection services, bool reloads, params ReadOnlySpan<string> sections)
    {
        foreach (var section in sections)
        {
            services.AddSingleton(new ConfigurationRead(section, reloads, typeof(T).Assembly));
        }
    }

    /// <summary>
    /// Checks everything before the host starts: reloadable sections, and options with <c>ValidateOnStart</c>. All mistakes are in one
    /// report.
    /// </summary>
    /// <exception cref="InvalidConfigurationException">The configuration has mistakes, which the exception lists.</exception>
    internal static void CheckConfiguration(this WebApplication app)
    {
        app.Services.GetRequiredService<ReloadGate>().Load(app.Services.GetService<IStartupValidator>());
        app.Services.GetService<SettingsCheck>()?.EndIfAskedFor();
    }
}

/// <summary>A section that the host reads.</summary>
/// <param name="Section">The section's path.</param>
/// <param name="Reloads">Whether an edit takes effect while the host runs.</param>
/// <param name="Reader">The assembly whose types declare the keys.</param>
public sealed record ConfigurationRead(string Section, bool Reloads, Assembly Reader);

/// <summary>Checks edits of settings that are read at start against the values that the members accept.</summary>
internal sealed class StartSettings<T> : IReloadable
    where T : class, new()
{
    public Action? Prepare(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        mistakes.Read<T>(configuration);
        return null; // Nothing takes effect before the next start.
    }

    public void Announce() { }
}
