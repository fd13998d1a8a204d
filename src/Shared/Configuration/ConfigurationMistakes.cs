using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>One mistake in the configuration.</summary>
/// <param name="Key">The whole key, such as <c>Upstreams:orders:Timeout</c>.</param>
/// <param name="Message">What is wrong and how to correct it; never the value of a secret.</param>
public readonly record struct ConfigurationMistake(string Key, string Message)
{
    /// <inheritdoc />
    public override string ToString() => $"{Key}: {Message}";
}

/// <summary>Collects all mistakes of a configuration, so that they are reported together.</summary>
public sealed class ConfigurationMistakes
{
    private readonly List<ConfigurationMistake> _mistakes = [];

    /// <summary>The mistakes found so far.</summary>
    public IReadOnlyList<ConfigurationMistake> All => _mistakes;

    /// <summary>Adds a mistake.</summary>
    /// <param name="key">The whole key.</param>
    /// <param name="message">What is wrong and how to correct it; never the value of a secret.</param>
    public void Add(string key, string message) => _mistakes.Add(new(key, message));

    /// <summary>Adds a mistake in a section's key.</summary>
    public void Add(IConfiguration section, string key, string message) => Add(Path(section, key), message);

    /// <summary>
    /// Sets every member that declares a <see cref="Setting"/> and has a value in the section. A wrong value leaves the member unchanged.
    /// </summary>
    /// <param name="section">The section of the type.</param>
    /// <param name="settings">The settings, with the defaults for missing values.</param>
    public T Bind<T>(IConfiguration section, T settings)
        where T : class
    {
        foreach (var setting in Setting.Of(typeof(T)))
        {
            setting.Read(section, settings, this);
        }

        return settings;
    }

    /// <summary>Reads a settings type from its own section.</summary>
    /// <param name="configuration">The root of the configuration.</param>
    public T Read<T>(IConfiguration configuration)
        where T : class, new() => Bind(configuration.GetSection(SectionOf<T>()), new T());

    /// <summary>Returns how to correct a name that does not exist.</summary>
    /// <param name="names">The names that exist.</param>
    /// <param name="section">The section to which names are added.</param>
    internal static string Choose(IEnumerable<string> names, string section) =>
        $"Use one of {string.Join(", ", names.Order(StringComparer.Ordinal))}, or add it under {section}.";

    internal static string SectionOf<T>() => typeof(T).GetCustomAttribute<SettingsAttribute>()!.Path;

    private static string Path(IConfiguration section, string key) =>
        section is IConfigurationSection { Path: var path } ? ConfigurationPath.Combine(path, key) : key;
}

/// <summary>Thrown when the configuration is invalid. It lists all mistakes.</summary>
#pragma warning disable CA1032 // The exception is useless without its mistakes.
public sealed class InvalidConfigurationException(IReadOnlyList<ConfigurationMistake> mistakes)
#pragma warning restore CA1032
    : Exception($"The configuration has {mistakes.Count} mistake(s):{Environment.NewLine}{string.Join(Environment.NewLine, mistakes)}")
{
    /// <summary>All mistakes with their keys.</summary>
    public IReadOnlyList<ConfigurationMistake> Mistakes { get; } = mistakes;
}
