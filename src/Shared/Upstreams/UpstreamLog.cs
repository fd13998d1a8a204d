using Bff.Concurrency;
using Microsoft.Extensions.Logging;

namespace Bff.Upstreams;

/// <summary>
/// What operators are told of an upstream: that its breaker opens and closes, and that calls begin to need retries or hedges. The two are
/// told once per <see cref="Episode"/>: per request they are metrics.
/// </summary>
/// <param name="logger">Where to.</param>
/// <param name="time">The clock.</param>
internal sealed partial class UpstreamLog(ILogger logger, TimeProvider time)
{
    /// <summary>One pool's.</summary>
    /// <param name="upstream">The upstream's name.</param>
    /// <param name="pool"><c>main</c>, <c>canary</c>, or the tenant whose own addresses they are.</param>
    public Pool For(string upstream, string pool) => new(logger, time, upstream, pool);

    /// <summary>What is told of one pool.</summary>
    internal sealed class Pool(ILogger logger, TimeProvider time, string upstream, string pool)
    {
        private readonly Episode _retries = new(time);
        private readonly Episode _unresolved = new(time);
        private readonly Episode _hedges = new(time);

        /// <summary>For work that tells of itself.</summary>
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
        "The addresses of {Upstream} ({Pool}) changed: {Added} added, {Removed} removed; calls go to those that there are now",
        EventName = "AddressesChanged"
    )]
    private static partial void LogAddresses(ILogger logger, string upstream, string pool, int added, int removed);

    [LoggerMessage(
        1606,
        LogLevel.Warning,
        "The name of {Upstream} ({Pool}) could not be resolved ({Reason}); the addresses known before stay in use, and it is tried again",
        EventName = "NameUnresolved"
    )]
    private static partial void LogUnresolved(ILogger logger, string upstream, string pool, string reason);
}
