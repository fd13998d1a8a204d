using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>Error replies. Whatever the reason, the operation has not been done.</content>
public sealed partial class RedisState
{
    private const int MaxRefusals = 100;
    private static readonly TimeSpan RefusalIsNewsAfter = TimeSpan.FromMinutes(1);

    private static readonly Meter Meter = new("Bff.State");

    private static readonly Counter<long> Refusals = Meter.CreateCounter<long>(
        "bff.state.refusals",
        "{operation}",
        "Operations that Redis answered with an error."
    );

    /// <summary>States of the whole server that pass, or a failover that the connection follows: for everybody it is away.</summary>
    private static readonly string[] Passing =
    [
        "LOADING",
        "READONLY",
        "CLUSTERDOWN",
        "MASTERDOWN",
        "TRYAGAIN",
        "OOM",
        "BUSY",
        "MISCONF",
        "NOREPLICAS",
        "MOVED",
        "ASK",
        "Key",
        "Endpoint",
        nameof(RedisCommandException),
    ];

    /// <summary>
    /// Keys of a slot that is on its way between two servers of a cluster: some are here and some there, or they have moved twice since
    /// they were asked for. A slot of a few keys has moved in milliseconds.
    /// </summary>
    private static readonly string[] Moving = ["TRYAGAIN ", "MOVED ", "ASK ", "Key has MOVED "];

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<string, long> _refusals = new(StringComparer.Ordinal);

    /// <summary>What an error means to who asked that a script has caught; counted, and logged where the state changes.</summary>
    internal StoreException Refused(string error) =>
        Refused(new RedisServerException(RedisErrorKind.UnknownError, CommandFlags.DemandMaster, error));

    /// <summary>Whether an operation met a slot that moves, did nothing for that, and may be tried once more in its time.</summary>
    private bool MayTryAgain(StoreUnavailableException refused, long asked) =>
        (
            refused.InnerException is RedisServerException { Message: var error }
                ? Array.Exists(Moving, start => error.StartsWith(start, StringComparison.Ordinal))
                : refused.InnerException is RedisConnectionException failure && IsSecondRedirection(failure)
        )
        && _time.GetElapsedTime(asked) + TryAgainAfter < _timeout;

    /// <summary>
    /// The client library follows one redirection. Where a moved slot moves on it is sent two, and the client library says of the second
    /// that its server is not reachable, though it is.
    /// </summary>
    private bool IsSecondRedirection(RedisConnectionException failure) =>
        failure.FailureType == ConnectionFailureType.UnableToConnect
        && failure.Message.StartsWith("Endpoint is not reachable", StringComparison.Ordinal)
        && _connection is { IsCluster: true, ReachesAll: true };

    private StoreException Refused(Exception refused)
    {
        var error = ErrorOf(refused);
        Refusals.Add(1, new KeyValuePair<string, object?>("error", error));
        if (error == "READONLY")
        {
            _replace = true; // The primary has become a replica: discover the roles anew.
            Wake();
        }

        if (Passing.Contains(error))
        {
            return new StoreUnavailableException(refused);
        }

        if (IsNews(error))
        {
            LogRefused(_logger, error);
        }

        return new StoreRefusedException(refused);
    }

    /// <summary>An error is named by its first word (<c>NOPERM</c>, <c>WRONGTYPE</c>); what follows may name keys.</summary>
    private static string ErrorOf(Exception refused)
    {
        var end = refused.Message.AsSpan().IndexOfAny(' ', ':');
        var word = end > 0 ? refused.Message[..end] : refused.Message;
        return refused is RedisServerException && word.Length is > 0 and <= 20 && word.All(char.IsAsciiLetterOrDigit)
            ? word
            : refused.GetType().Name;
    }

    private bool IsNews(string error)
    {
        var now = _time.GetTimestamp();
        if (_refusals.TryGetValue(error, out var said))
        {
            return _time.GetElapsedTime(said, now) > RefusalIsNewsAfter && _refusals.TryUpdate(error, now, said);
        }

        return _refusals.Count < MaxRefusals && _refusals.TryAdd(error, now);
    }

    [LoggerMessage(
        1303,
        LogLevel.Error,
        "Redis refuses operations with {Error}; stores treat it as unavailable. Check the rights of its user, its memory and its keys",
        EventName = "RedisRefusesOperations"
    )]
    private static partial void LogRefused(ILogger logger, string error);
}
