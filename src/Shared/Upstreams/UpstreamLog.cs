using Bff.Concurrency;
using Microsoft.Extensions.Logging;

namespace Bff.Upstreams;

/// <summary>
/// Logs changes of an upstream's state: its breaker opens or closes, its addresses change, its name cannot be resolved, or calls begin to
/// need retries or hedges. Retries, hedges and unresolved names are logged once per <see cref="Episode"/>; metrics count them per request.
/// </summary>
/// <param name="logger">The logger.</param>
/// <param name="time">The clock.</param>
internal sealed partial class UpstreamLog(ILogger logger, TimeProvider time)
{
    /// <summary>Returns the log of one pool.</summary>
    /// <param name="upstream">The upstream's name.</param>
    /// <param name="pool">The pool's name: <c>main</c>, <c>canary</c>, or the tenant that has addresses of its own.</param>
    public Pool For(string upstream, string pool) => new(logger, time, upstream, pool);

    /// <summary>Logs the changes of one pool.</summary>
    internal sealed class Pool(ILogger logger, TimeProvider time, string upstream, string pool)
    {
        private readonly Episode _retries = new(time);
        private readonly Episode _unresolved = new(time);
        private readonly Episode _hedges = new(time);

        /// <summary>The logger, for components that log messages of their own.</summary>
        public ILogger Logger => logger;

        public void BreakerOpened(TimeSpan duration) => LogBreakerOpened(logger, upstream, pool, duration);

        public void BreakerClosed() => LogBreakerClosed(logger, upstream, pool);

        public void AddressesChanged(int added, int removed) => LogAddresses(logger, upstream, pool, added, removed);

        public void Unresolved(string reason)
        {
            if (_unresolved.Begins())
            {
                LogUnresolved(logger, upstream, pool, reason);
            }
        }

        public void Retried()
        {
            if (_retries.Begins())
            {
                LogRetries(logger, upstream, pool);
            }
        }

        public void Hedged()
        {
            if (_hedges.Begins())
            {
                LogHedges(logger, upstream, pool);
            }
        }
    }

    [LoggerMessage(
        1601,
        LogLevel.Warning,
        "The circuit breaker of {Upstream} ({Pool}) opened because too many calls failed; calls are refused for {Duration}, then one is tried",
        EventName = "BreakerOpened"
    )]
    private static partial void LogBreakerOpened(ILogger logger, string upstream, string pool, TimeSpan duration);

    [LoggerMessage(
        1602,
        LogLevel.Information,
        "The circuit breaker of {Upstream} ({Pool}) closed; calls are sent again",
        EventName = "BreakerClosed"
    )]
    private static partial void LogBreakerClosed(ILogger logger, string upstream, string pool);

    [LoggerMessage(
        1603,
        LogLevel.Warning,
        "Calls to {Upstream} ({Pool}) fail and are retried; this is not logged again until a minute has passed without a retry",
        EventName = "RetriesBegan"
    )]
    private static partial void LogRetries(ILogger logger, string upstream, string pool);

    [LoggerMessage(
        1604,
        LogLevel.Information,
        "Reads of {Upstream} ({Pool}) are slow and are hedged; this is not logged again until a minute has passed without a hedge",
        EventName = "HedgesBegan"
    )]
    private static partial void LogHedges(ILogger logger, string upstream, string pool);

    [LoggerMessage(
        1605,
        LogLevel.Information,
        "The addresses of {Upstream} ({Pool}) changed: {Added} added, {Removed} removed; calls go to the new set",
        EventName = "AddressesChanged"
    )]
    private static partial void LogAddresses(ILogger logger, string upstream, string pool, int added, int removed);

    [LoggerMessage(
        1606,
        LogLevel.Warning,
        "The name of {Upstream} ({Pool}) could not be resolved ({Reason}); the addresses known so far stay in "
            + "use, and the name is tried again",
        EventName = "NameUnresolved"
    )]
    private static partial void LogUnresolved(ILogger logger, string upstream, string pool, string reason);
}
