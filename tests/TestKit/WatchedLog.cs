using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>
/// Logging for parts of a host that are started alone: checks every line as it is logged, and fails the test when it is disposed.
/// </summary>
internal sealed class WatchedLog : ILoggerProvider
{
    private readonly LeakSentinel _leaks = new();

    public WatchedLog(IConfiguration? configuration = null) => _leaks.Configured(configuration?.AsEnumerable() ?? []);

    public ILogger CreateLogger(string categoryName) => new Watcher(_leaks, categoryName);

    public void Dispose() => _leaks.Verify();

    private sealed class Watcher(LeakSentinel leaks, string category) : ILogger
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
        ) => leaks.CheckLog(new LogEntry(category, logLevel, formatter(state, exception), exception));
    }
}

public static class WatchedLogging
{
    /// <summary>Replaces all logging by the checks of a <see cref="LeakSentinel"/>.</summary>
    public static ILoggingBuilder Watch(this ILoggingBuilder logging)
    {
        logging.ClearProviders().Services.AddSingleton<ILoggerProvider, WatchedLog>(); // By type, so that the container disposes of it.
        return logging;
    }

    /// <summary>Creates a factory for objects that are created by hand; the check fails when it is disposed.</summary>
    public static ILoggerFactory NewFactory() => LoggerFactory.Create(logging => logging.Watch());
}
