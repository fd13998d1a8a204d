using System.Collections.Concurrent;
using Bff.Concurrency;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>
/// Logs when a part starts to be served stale or from its fallback, once per <see cref="Episode"/>. Metrics count it per request.
/// </summary>
internal sealed partial class StandInLog(ILogger logger, TimeProvider time)
{
    // Bounded by the number of parts that degrade.
    private readonly ConcurrentDictionary<(string Endpoint, string Part, PartStatus Status), Episode> _episodes = new();

    /// <summary>Records the status of a part; logs if an episode starts.</summary>
    public void Served(string endpoint, string part, PartStatus status)
    {
        if (status is not (PartStatus.Stale or PartStatus.Fallback))
        {
            return;
        }

        var episode = _episodes.GetOrAdd((endpoint, part, status), static (_, time) => new Episode(time), time);
        if (!episode.Begins())
        {
            return;
        }

        if (status == PartStatus.Stale)
        {
            LogStale(logger, part, endpoint);
        }
        else
        {
            LogFallback(logger, part, endpoint);
        }
    }

    [LoggerMessage(
        1721,
        LogLevel.Warning,
        "Part {Part} of {Endpoint} is served stale because its call fails; this is not logged again until a "
            + "minute has passed without a stale part",
        EventName = "StaleServed"
    )]
    private static partial void LogStale(ILogger logger, string part, string endpoint);

    [LoggerMessage(
        1722,
        LogLevel.Warning,
        "Part {Part} of {Endpoint} is served from its fallback because its call fails; this is not logged "
            + "again until a minute has passed without a fallback",
        EventName = "FallbackUsed"
    )]
    private static partial void LogFallback(ILogger logger, string part, string endpoint);
}
