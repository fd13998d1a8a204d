using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>The configuration with which the host started, to find edits that wait for the next start.</summary>
/// <param name="configuration">The configuration at start.</param>
/// <param name="reads">The sections that the host reads.</param>
internal sealed class StartSnapshot(IConfiguration configuration, IEnumerable<ConfigurationRead> reads)
{
    private readonly Dictionary<string, string?> _values = Values(configuration);
    private string[][]? _atStart;

    /// <summary>Returns the keys, in order, that are read only at start and whose value has changed since. Never returns values.</summary>
    public IReadOnlyList<string> Changed(IConfiguration edited)
    {
        var now = Values(edited);
        List<string> changed =
        [
            .. now
                .Keys.Union(_values.Keys, StringComparer.OrdinalIgnoreCase)
                .Where(key => _values.GetValueOrDefault(key) != now.GetValueOrDefault(key)),
        ];
        if (changed.Count == 0)
        {
            return changed;
        }

        _atStart ??= [.. Declared().Select(path => path.Split(':'))]; // Computed at the first edit, to keep the start fast.
        return [.. changed.Where(key => IsAtStart(key.Split(':'))).Order(StringComparer.OrdinalIgnoreCase)];
    }

    private bool IsAtStart(string[] key) =>
        key[0].StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase) || Array.Exists(_atStart!, pattern => IsBelow(key, pattern));

    /// <summary>Whether the key is at or below the pattern. A name in angle brackets matches any segment.</summary>
    private static bool IsBelow(string[] key, string[] pattern)
    {
        if (key.Length < pattern.Length)
        {
            return false;
        }

        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i][0] != '<' && !pattern[i].Equals(key[i], StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The sections that are never reloaded, and the members that are declared as read at start.</summary>
    private IEnumerable<string> Declared() =>
        [
            "Urls",
            .. reads.Where(read => !read.Reloads).Select(read => read.Section),
            .. Setting.In(typeof(Setting).Assembly).Where(setting => setting.IsAtStart).Select(setting => setting.Path),
        ];

    private static Dictionary<string, string?> Values(IConfiguration configuration) =>
        configuration
            .AsEnumerable()
            .Where(pair => pair.Value is not null)
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.OrdinalIgnoreCase);
}
