using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>One mistake in the configuration.</summary>
/// <param name="Key">The whole key, such as <c>Upstreams:orders:Timeout</c>.</param>
/// <param name="Message">What is wrong and how it is cured; never the value of a secret.</param>
public readonly record struct ConfigurationMistake(string Key, string Message)
{
    /// <inheritdoc />
    public override string ToString() => $"{Key}: {Message}";
}

/// <summary>Gathers every mistake of a configuration, so that all are reported at once.</summary>
public sealed class ConfigurationMistakes
{
    private readonly List<ConfigurationMistake> _mistakes = [];

    /// <summary>What has been found so far.</summary>
    public IReadOnlyList<ConfigurationMistake> All => _mistakes;

    /// <summary>Notes a mistake.</summary>
    /// <param name="key">The whole key.</param>
    /// <param name="message">What is wrong and how it is cured; never the value of a secret.</param>
    public void Add(string key, string message) => _mistakes.Add(new(key, message));

    /// <summary>Notes a mistake of a section's key.</summary>
    public void Add(IConfiguration section, string key, string message) => Add(Path(section, key), message);

    /// <summary>
    /// Sets every member that declares itself a <see cref="Setting"/> and that the section has; a mistake leaves the member as it was.
    /// </summary>
    /// <param name="section">The section of the type.</param>
    /// <param name="settings">With the values that stand where the configuration says nothing.</param>
    public T Bind<T>(IConfiguration section, T settings)
        where T : class
    {
        foreach (var setting in Setting.Of(typeof(T)))
        {
            setting.Read(section, settings, this);
        }

        return settings;
    }

    /// <summary>What the configuration says of a type with a section of its own.</summary>
    /// <param name="configuration">The root.</param>
    public T Read<T>(IConfiguration configuration)
        where T : class, new() => Bind(configuration.GetSection(SectionOf<T>()), new T());

    internal static string SectionOf<T>() => typeof(T).GetCustomAttribute<SettingsAttribute>()!.Path;

    private static string Path(IConfiguration section, string key) =>
        section is IConfigurationSection { Path: var path } ? ConfigurationPath.Combine(path, key) : key;
}

/// <summary>The configuration cannot be served with; lists every mistake.</summary>
#pragma warning disable CA1032 // Without its mistakes it would say nothing.
public sealed class InvalidConfigurationException(IReadOnlyList<ConfigurationMistake> mistakes)
#pragma warning restore CA1032
    : Exception($"The configuration has {mistakes.Count} mistake(s):{Environment.NewLine}{string.Join(Environment.NewLine, mistakes)}")
{
    /// <summary>Every mistake with its key.</summary>
    public IReadOnlyList<ConfigurationMistake> Mistakes { get; } = mistakes;
}
