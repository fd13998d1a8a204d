using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>The configuration that the host started with, to say later which edits wait for the next start.</summary>
/// <param name="configuration">As it is at the start.</param>
/// <param name="reads">What the host reads.</param>
internal sealed class StartSnapshot(IConfiguration configuration, IEnumerable<ConfigurationRead> reads)
{
    private readonly Dictionary<string, string?> _values = Values(configuration);
    private string[][]? _atStart;

    /// <summary>Keys, in order, whose value is another than at the start and that are read at a start alone. Never their values.</summary>
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

        _atStart ??= [.. Declared().Select(path => path.Split(':'))]; // Looked for at the first edit: the start does not wait for it.
        return [.. changed.Where(key => IsAtStart(key.Split(':'))).Order(StringComparer.OrdinalIgnoreCase)];
    }

    private bool IsAtStart(string[] key) =>
        key[0].StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase) || Array.Exists(_atStart!, pattern => IsBelow(key, pattern));

    /// <summary>A name in angle brackets stands for any.</summary>
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

    /// <summary>Sections of which nothing is read again, and members that say so of themselves.</summary>
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
