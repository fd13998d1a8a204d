using System.Globalization;
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

    /// <summary>Reads a number, time span or flag (invariant culture); a mistake when it cannot be read or lies outside the range.</summary>
    /// <param name="section">Where to read; paths are relative to it.</param>
    /// <param name="key">Which key.</param>
    /// <param name="fallback">Stands in when the key is absent, and after a mistake.</param>
    /// <param name="min">Smallest accepted value.</param>
    /// <param name="max">Largest accepted value.</param>
    public T Read<T>(IConfiguration section, string key, T fallback, T min, T max) where T : struct, IParsable<T>, IComparable<T>
    {
        if (section[key] is not { Length: > 0 } text)
        {
            return fallback;
        }

        if (T.TryParse(text, CultureInfo.InvariantCulture, out var value) && value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0)
        {
            return value;
        }

        Add(section, key, string.Create(CultureInfo.InvariantCulture, $"'{text}' is not a {Kind<T>()} from {min} to {max}."));
        return fallback;
    }

    /// <summary>Reads one of an enumeration's names (any case; numbers are no names).</summary>
    public T Read<T>(IConfiguration section, string key, T fallback) where T : struct, Enum
    {
        if (section[key] is not { Length: > 0 } text)
        {
            return fallback;
        }

        foreach (var name in Enum.GetNames<T>())
        {
            if (string.Equals(name, text, StringComparison.OrdinalIgnoreCase))
            {
                return Enum.Parse<T>(name);
            }
        }

        Add(section, key, $"'{text}' is not one of {string.Join(", ", Enum.GetNames<T>())}.");
        return fallback;
    }

    /// <summary>Reads <c>true</c> or <c>false</c>.</summary>
    public bool Read(IConfiguration section, string key, bool fallback) => Read(section, key, fallback, false, true);

    private static string Kind<T>() =>
        typeof(T) == typeof(TimeSpan) ? "time span (hh:mm:ss)" : typeof(T) == typeof(bool) ? "flag" : "number";

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
