using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>One line that was logged.</summary>
public sealed record LogEntry(string Category, LogLevel Level, string Message, Exception? Exception, EventId Event = default);

/// <summary>Records log lines; tests can wait for one.</summary>
public sealed class LogRecorder : ILoggerProvider
{
    private readonly Lock _lock = new();
    private readonly List<LogEntry> _entries = [];
    private readonly List<(Func<LogEntry, bool> Wanted, TaskCompletionSource<LogEntry> Seen)> _waiting = [];

    public IReadOnlyList<LogEntry> Entries
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries];
            }
        }
    }

    /// <summary>Waits for the first line that matches, logged already or still to come; fails after 30 s.</summary>
    public Task<LogEntry> Until(Func<LogEntry, bool> wanted)
    {
        lock (_lock)
        {
            if (_entries.Find(e => wanted(e)) is { } entry)
            {
                return Task.FromResult(entry);
            }

            var seen = new TaskCompletionSource<LogEntry>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((wanted, seen));
            return seen.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    public ILogger CreateLogger(string categoryName) => new Recorder(this, categoryName);

    public void Dispose() { }

    private void Add(LogEntry entry)
    {
        lock (_lock)
        {
            _entries.Add(entry);
            foreach (var (wanted, seen) in _waiting)
            {
                if (wanted(entry))
                {
                    seen.TrySetResult(entry);
                }
            }
        }
    }

    private sealed class Recorder(LogRecorder log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => log.Add(new(category, logLevel, formatter(state, exception), exception, eventId));
    }
}
