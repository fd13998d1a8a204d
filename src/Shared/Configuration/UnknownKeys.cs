using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>What happens to a key that no code reads.</summary>
internal enum UnknownKey
{
    /// <summary>It is a mistake like any other.</summary>
    Refuse,

    /// <summary>It is logged.</summary>
    Warn,
}

/// <summary>Settings of section <c>Settings</c>: how settings themselves are read.</summary>
[Settings("Settings")]
internal sealed class UnknownKeySettings
{
    /// <summary>
    /// What happens when the configuration has a key that this host does not read. <c>Refuse</c> treats it as a mistake, <c>Warn</c> logs a
    /// warning.
    /// </summary>
    [Setting]
    public UnknownKey Unknown { get; init; }
}

/// <summary>
/// Finds keys that no code of this host reads. They are mostly misspelled, and would otherwise silently leave a default in effect. An
/// environment variable is checked only below sections that the host reads, or when its name is almost that of a key, because other
/// variables belong to other programs.
/// </summary>
internal sealed class UnknownKeys(IEnumerable<ConfigurationRead> reads, IEnumerable<IKnownNames> names)
{
    /// <summary>Members of the proxy's route format that this host configures elsewhere.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new(StringComparer.OrdinalIgnoreCase)
    {
        ["CorsPolicy"] = "Origins are allowed for the whole host, in Cors:Origins.",
        ["RateLimiterPolicy"] = "Name a limit in Metadata:Endpoint and set it in Limits:Endpoints:<name>.",
        ["OutputCachePolicy"] = "Answers of a route are not cached. An endpoint of the host can cache its parts.",
        ["TimeoutPolicy"] = "Set Upstreams:<name>:Timeout or Metadata:IdleTimeout.",
        ["Timeout"] = "Set Upstreams:<name>:Timeout or Metadata:IdleTimeout.",
    };

    private readonly Lazy<KnownKeys> _known = new(() => new(reads));

    /// <summary>Adds a mistake for each unknown key, or passes it to <paramref name="warn"/> when the configuration says so.</summary>
    public void Check(IConfiguration configuration, ConfigurationMistakes mistakes, Action<ConfigurationMistake> warn)
    {
        var warns = mistakes.Read<UnknownKeySettings>(configuration).Unknown == UnknownKey.Warn;
        var found = WrittenKeys
            .Of(configuration)
            .Select(Mistake)
            .OfType<ConfigurationMistake>()
            .DistinctBy(m => m.Key.ToUpperInvariant())
            .ToList();
        var said = mistakes.All.Select(m => m.Key).Where(key => !_known.Value.Leads(key.Split(':'))).ToList();
        foreach (var mistake in found.Where(f => !said.Any(key => Setting.IsBelow(key, f.Key))))
        {
            if (warns)
            {
                warn(mistake);
            }
            else
            {
                mistakes.Add(mistake.Key, mistake.Message);
            }
        }
    }

    private bool IsAnothers(string[] variable, string? nearest) =>
        variable is [var name]
            ? nearest is null || name.Contains('_', StringComparison.Ordinal)
            : nearest is null && !_known.Value.HasSection(variable[0]);

    private ConfigurationMistake? Mistake(WrittenKey written)
    {
        var key = written.Key.Split(':');
        var nearest = (string?)null;
        if (_known.Value.Has(key, written.IsEmpty) || key[0].StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase))
        {
            if (!names.Any(n => n.IsUnknown(key, out nearest)))
            {
                return null;
            }
        }
        else
        {
            nearest = _known.Value.Nearest(key);
        }

        if (written.IsVariable && IsAnothers(key, nearest))
        {
            return null;
        }

        if (
            key is [var proxy, "Routes", _, var member, ..]
            && proxy.Equals("ReverseProxy", StringComparison.OrdinalIgnoreCase)
            && Elsewhere.TryGetValue(member, out var instead)
        )
        {
            return new(written.Key, $"is not read. {instead}");
        }

        return new(
            written.Key,
            nearest switch
            {
                null => "is not read by this host. Remove it.",
                _ when nearest.Equals(written.Key, StringComparison.OrdinalIgnoreCase) =>
                    $"is a list. Number its values: {nearest}:0, {nearest}:1.",
                _ => $"is not read by this host. Did you mean {nearest}?",
            }
        );
    }
}
