using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace PartnerBff.Loops;

/// <summary><c>bff.loop.failures</c> by <c>loop</c>: what a loop could not do and will try again.</summary>
internal sealed class LoopMetrics(IMeterFactory meters)
{
    private readonly Counter<long> _failures = meters.Create("Bff").CreateCounter<long>("bff.loop.failures", "{failure}", "Failures in background loops");

    public void Failed(string loop) => _failures.Add(1, new KeyValuePair<string, object?>("loop", loop));
}

/// <summary>
/// What goes wrong in a loop that must go on, such as a refusal by Redis that nobody expects: counted each time, logged when it begins and when it is over,
/// apart for each part of the work, so that one part's trouble is not the others'.
/// </summary>
/// <param name="loop">What the loop does; in the log and the metric.</param>
/// <param name="metrics">Counts.</param>
/// <param name="logger">Of the loop.</param>
internal sealed partial class LoopTroubles(string loop, LoopMetrics metrics, ILogger logger)
{
    private const int MaxParts = 10_000;
    private readonly ConcurrentDictionary<string, bool> _failing = new(StringComparer.Ordinal);

    /// <summary>A part of the work failed; it will be tried again.</summary>
    public void Failed(string part, Exception failure)
    {
        metrics.Failed(loop);
        if (_failing.Count < MaxParts && _failing.TryAdd(part, true))
        {
            LogFailing(logger, failure, loop, part);
        }
    }

    /// <summary>The part of the work has been done.</summary>
    public void Succeeded(string part)
    {
        if (!_failing.IsEmpty && _failing.TryRemove(part, out _))
        {
            LogWorksAgain(logger, loop, part);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Loop} failed at {Part}; it goes on with the rest and tries that again")]
    private static partial void LogFailing(ILogger logger, Exception failure, string loop, string part);

    [LoggerMessage(LogLevel.Information, "{Loop} works again at {Part}")]
    private static partial void LogWorksAgain(ILogger logger, string loop, string part);
}
