using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Bff.Configuration;

/// <summary>
/// Applies an edit of the configuration as a whole or not at all. 1. Every reloadable section parses the new configuration. 2. One mistake
/// anywhere refuses the edit. Each mistake is logged once, and every section keeps its last good snapshot. 3. Otherwise all sections take
/// effect, and then the listeners are called. 4. Edits that wait for the next start are logged. At start, mistakes stop the host instead.
/// </summary>
internal sealed partial class ReloadGate : IDisposable
{
    private readonly Lock _lock = new();
    private readonly IConfiguration _configuration;
    private readonly IReloadable[] _sections;
    private readonly BrokenFiles _files;
    private readonly SettingsMetrics _metrics;
    private readonly ConfigurationRead[] _reads;
    private readonly UnknownKeys _unknown;
    private readonly HashSet<ConfigurationMistake> _warned = [];
    private readonly ILogger _logger;
    private HashSet<ConfigurationMistake> _refused = [];
    private StartSnapshot? _atStart;
    private IReadOnlyList<string> _pending = [];
    private IDisposable? _watch;

    public ReloadGate(
        IConfiguration configuration,
        IEnumerable<IReloadable> sections,
        BrokenFiles files,
        SettingsMetrics metrics,
        IEnumerable<ConfigurationRead> reads,
        UnknownKeys unknown,
        ILogger<ReloadGate> logger
    )
    {
        _configuration = configuration;
        _sections = [.. sections];
        _files = files;
        _metrics = metrics;
        _reads = [.. reads];
        _unknown = unknown;
        _logger = logger;
    }

    /// <summary>Reads everything for the first time, unless that has already happened.</summary>
    /// <param name="others">Validates the options that are read only at start, so that their mistakes are reported together with
    /// these.</param>
    /// <exception cref="InvalidConfigurationException">The configuration has mistakes, which the exception lists.</exception>
    public void Load(IStartupValidator? others = null)
    {
        lock (_lock)
        {
            var mistakes = new ConfigurationMistakes();
            var beforeReading = _configuration.GetReloadToken();
            var commits = _watch is null ? Prepare(mistakes) : [];
            Check(others, mistakes);
            if (mistakes.All.Count > 0)
            {
                foreach (var mistake in SettingsCheck.IsThisProcess ? [] : mistakes.All) // The check prints each mistake once, at its end.
                {
                    LogStops(_logger, mistake.Key, mistake.Message);
                }

                throw new InvalidConfigurationException(mistakes.All);
            }

            foreach (var (_, commit) in commits)
            {
                commit();
            }

            if (_watch is null)
            {
                _atStart = new(_configuration, _reads);
                _watch = ChangeToken.OnChange(_configuration.GetReloadToken, Reload);
                if (beforeReading.HasChanged)
                {
                    Reload(); // The configuration was edited after it was read and before it was watched.
                }
            }
        }
    }

    public void Dispose() => _watch?.Dispose();

    private void Reload()
    {
        lock (_lock)
        {
            var mistakes = new ConfigurationMistakes();
            var commits = Prepare(mistakes);
            if (mistakes.All.Count > 0)
            {
                Refuse(mistakes.All);
                return;
            }

            var wasRefused = _refused.Count > 0;
            _refused = [];
            _metrics.Taken();
            NamePending();
            if (commits.Count == 0)
            {
                if (wasRefused)
                {
                    LogMended(_logger); // Otherwise the log would end with the refusal.
                }

                return;
            }

            foreach (var (_, commit) in commits)
            {
                commit();
            }

            foreach (var (section, _) in commits)
            {
                Announce(section);
            }

            LogTaken(_logger, commits.Count);
        }
    }

    private List<(IReloadable Section, Action Commit)> Prepare(ConfigurationMistakes mistakes)
    {
        var commits = new List<(IReloadable, Action)>();
        _files.Check(mistakes);
        LogLevels.Check(_configuration, mistakes);
        foreach (var section in _sections)
        {
            try
            {
                if (section.Prepare(_configuration, mistakes) is { } commit)
                {
                    commits.Add((section, commit));
                }
            }
#pragma warning disable CA1031 // A parse function that throws on a mistake must not stop the host or hide the other sections' reports.
            catch (Exception unreadable)
#pragma warning restore CA1031
            {
                mistakes.Add(section.ToString()!, $"cannot be read: {unreadable.Message}");
            }
        }

        _unknown.Check(_configuration, mistakes, Warn);
        return commits;
    }

    private void Warn(ConfigurationMistake unknown)
    {
        if (_warned.Add(unknown))
        {
            LogUnknown(_logger, unknown.Key, unknown.Message);
        }
    }

    private static void Check(IStartupValidator? others, ConfigurationMistakes mistakes)
    {
        try
        {
            others?.Validate();
        }
        catch (OptionsValidationException invalid)
        {
            Add(invalid);
        }
        catch (AggregateException several) when (several.InnerExceptions.All(e => e is OptionsValidationException))
        {
            foreach (var invalid in several.InnerExceptions.Cast<OptionsValidationException>())
            {
                Add(invalid);
            }
        }
        catch (InvalidOperationException unreadable) // A value of the wrong type; the message names its key.
        {
            mistakes.Add("configuration", unreadable.Message);
        }

        void Add(OptionsValidationException invalid)
        {
            foreach (var failure in invalid.Failures)
            {
                mistakes.Add(invalid.OptionsType.Name, failure);
            }
        }
    }

    private void Refuse(IReadOnlyList<ConfigurationMistake> mistakes)
    {
        // One save often raises several change notifications, so a reported mistake is not reported again until it changes.
        foreach (var mistake in mistakes.Where(m => !_refused.Contains(m)))
        {
            LogRefused(_logger, mistake.Key, mistake.Message);
        }

        if (!_refused.SetEquals(mistakes))
        {
            _metrics.Refused(mistakes.Count);
        }

        _refused = [.. mistakes];
    }

    private void NamePending()
    {
        var pending = _atStart!.Changed(_configuration);
        _metrics.Pending(pending.Count);
        if (pending.Count > 0 && !pending.SequenceEqual(_pending))
        {
            LogPending(_logger, string.Join(", ", pending));
        }

        _pending = pending;
    }

    private void Announce(IReloadable section)
    {
        try
        {
            section.Announce();
        }
#pragma warning disable CA1031 // A failure of one listener must not affect the next.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            LogListenerFailed(_logger, failed, section.ToString()!);
        }
    }

    [LoggerMessage(
        1001,
        LogLevel.Critical,
        "Configuration mistake in {Key}: {Mistake} The host does not start.",
        EventName = "ConfigurationStopsHost"
    )]
    private static partial void LogStops(ILogger logger, string key, string mistake);

    [LoggerMessage(
        1002,
        LogLevel.Error,
        "Configuration mistake in {Key}: {Mistake} The whole edit is refused; the last valid configuration stays in use.",
        EventName = "ConfigurationEditRefused"
    )]
    private static partial void LogRefused(ILogger logger, string key, string mistake);

    [LoggerMessage(
        1003,
        LogLevel.Warning,
        "These configuration keys were edited and take effect at the next start: {Keys}",
        EventName = "ConfigurationNeedsRestart"
    )]
    private static partial void LogPending(ILogger logger, string keys);

    [LoggerMessage(1004, LogLevel.Warning, "Configuration key {Key} {Mistake} It has no effect.", EventName = "ConfigurationKeyUnknown")]
    private static partial void LogUnknown(ILogger logger, string key, string mistake);

    [LoggerMessage(
        1005,
        LogLevel.Information,
        "A new configuration is in use ({Sections} section(s) changed)",
        EventName = "ConfigurationReloaded"
    )]
    private static partial void LogTaken(ILogger logger, int sections);

    [LoggerMessage(
        1006,
        LogLevel.Error,
        "A component could not apply the change of {Section}; it keeps the previous values",
        EventName = "ConfigurationListenerFailed"
    )]
    private static partial void LogListenerFailed(ILogger logger, Exception exception, string section);

    [LoggerMessage(
        1007,
        LogLevel.Information,
        "The configuration has no mistake any more; nothing that is in use has changed",
        EventName = "ConfigurationMended"
    )]
    private static partial void LogMended(ILogger logger);
}
