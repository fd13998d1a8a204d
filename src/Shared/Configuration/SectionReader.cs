using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>Reads values of one section; every mistake is reported with its key and the default stands in.</summary>
/// <param name="section">The section that keys are relative to.</param>
/// <param name="report">Called with key and message for each mistake.</param>
public sealed class SectionReader(IConfigurationSection section, Action<string, string> report)
{
    /// <summary>A time span such as <c>00:00:05</c>.</summary>
    public TimeSpan Duration(string key, TimeSpan fallback, TimeSpan min, TimeSpan max) =>
        Read(key, fallback, min, max, text => TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var v) ? v : null, "a time span such as 00:00:05");

    /// <summary>A whole number.</summary>
    public int Count(string key, int fallback, int min, int max) =>
        Read(key, fallback, min, max, text => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var v) ? v : null, "a whole number");

    /// <summary>A whole number.</summary>
    public long LongCount(string key, long fallback, long min, long max) =>
        Read(key, fallback, min, max, text => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var v) ? v : null, "a whole number");

    /// <summary>A number.</summary>
    public double Number(string key, double fallback, double min, double max) =>
        Read(key, fallback, min, max, text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var v) ? v : null, "a number");

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public bool Flag(string key, bool fallback)
    {
        var text = section[key];
        if (string.IsNullOrEmpty(text))
        {
            return fallback;
        }

        if (!bool.TryParse(text, out var value))
        {
            report($"{section.Path}:{key}", $"is '{text}', but needs true or false.");
            return fallback;
        }

        return value;
    }

    private T Read<T>(string key, T fallback, T min, T max, Func<string, T?> parse, string kind) where T : struct, IComparable<T>
    {
        var text = section[key];
        if (string.IsNullOrEmpty(text))
        {
            return fallback;
        }

        if (parse(text) is { } value && value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0)
        {
            return value;
        }

        report($"{section.Path}:{key}", string.Create(CultureInfo.InvariantCulture, $"is '{text}', but needs {kind} from {min} to {max}."));
        return fallback;
    }
}
