using System.Reflection;
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

    /// <summary>Before the host has a log: it would not come as far as the check of all the rest.</summary>
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
    /// Makes sections of the configuration reloadable as a <see cref="Reloadable{T}"/>: an edit takes effect only when this and every other
    /// reloadable section finds no mistake in it. Mistakes at start stop the host.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="sections">The sections that <typeparamref name="T"/> is made of, such as <c>Upstreams</c>. While they are as they were
    /// the snapshot stays the same object.</param>
    /// <param name="parse">
    /// Reads the whole configuration (root), adds every mistake with its key, and returns the snapshot, which is dropped if there was any
    /// mistake. Has no effects.
    /// </param>
    public static IServiceCollection AddReloadable<T>(
        this IServiceCollection services,
        string[] sections,
        Func<IConfiguration, ConfigurationMistakes, T> parse
    )
        where T : class => services.AddReloadable(sections, (_, configuration, mistakes) => parse(configuration, mistakes));

    /// <summary>
    /// The same for what can be checked only by other services; none of them may need a <see cref="Reloadable{T}"/> to be made.
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
    /// Options that are read once, at start, as their members declare it (<see cref="SettingAttribute"/>). Mistakes stop the host; a later
    /// edit with one is refused, although it would not take effect before the next start: else that start would be the one that fails.
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

    /// <summary>Sections that other code reads, such as a library's or the team's own: every key below them is known.</summary>
    public static IServiceCollection AddForeignSettings(this IServiceCollection services, params ReadOnlySpan<string> sections)
    {
        services.AddReads<ConfigurationRead>(reloads: true, sections);
        return services;
    }

    /// <typeparam name="T">What is made of them; its assembly declares their keys.</typeparam>
    internal static void AddReads<T>(this IServiceCollection services, bool reloads, params ReadOnlySpan<string> sections)
    {
        foreach (var section in sections)
        {
            services.AddSingleton(new ConfigurationRead(section, reloads, typeof(T).Assembly));
        }
    }

    /// <summary>
    /// Checks everything before the host starts: reloadable sections and options with <c>ValidateOnStart</c>; all mistakes in one report.
    /// </summary>
    /// <exception cref="InvalidConfigurationException">With every mistake.</exception>
    internal static void CheckConfiguration(this WebApplication app)
    {
        app.Services.GetRequiredService<ReloadGate>().Load(app.Services.GetService<IStartupValidator>());
        app.Services.GetService<SettingsCheck>()?.EndIfAskedFor();
    }
}

/// <summary>A section that the host reads.</summary>
/// <param name="Section">Its path.</param>
/// <param name="Reloads">Whether an edit is taken while the host runs.</param>
/// <param name="Reader">Whose types declare its keys.</param>
public sealed record ConfigurationRead(string Section, bool Reloads, Assembly Reader);

/// <summary>What the configuration says of settings that are read at start, against what the members accept.</summary>
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
