using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>Handles error replies. After any error reply, the operation was not done.</content>
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

    /// <summary>
    /// Errors that concern the whole server and pass, or a failover that the connection follows. The server counts as unavailable for every
    /// operation.
    /// </summary>
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
    /// Errors while a slot moves between two servers of a cluster: its keys are on both servers, or moved twice since the command was sent.
    /// A slot with few keys moves within milliseconds.
    /// </summary>
    private static readonly string[] Moving = ["TRYAGAIN ", "MOVED ", "ASK ", "Key has MOVED "];

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<string, long> _refusals = new(StringComparer.Ordinal);

    /// <summary>
    /// Converts an error that a script has caught into an exception for the caller. The error is counted and, at most once a minute for
    /// each kind, logged.
    /// </summary>
    internal StoreException Refused(string error) =>
        Refused(new RedisServerException(RedisErrorKind.UnknownError, CommandFlags.DemandMaster, error));

    /// <summary>Whether an operation was refused because its slot is moving and may be tried again within its timeout.</summary>
    private bool MayTryAgain(StoreUnavailableException refused, long asked) =>
        (
            refused.InnerException is RedisServerException { Message: var error }
                ? Array.Exists(Moving, start => error.StartsWith(start, StringComparison.Ordinal))
                : refused.InnerException is RedisConnectionException failure && IsSecondRedirection(failure)
        )
        && _time.GetElapsedTime(asked) + TryAgainAfter < _timeout;

    /// <summary>
    /// Whether the client library failed at a second redirection. It follows only one. If a moved slot moves again, Redis sends two
    /// redirections, and the client library reports the second server as unreachable although it can be reached.
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
            _replace = true; // The primary has become a replica, so a new connection must discover the roles.
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

    /// <summary>Returns the first word of the error (<c>NOPERM</c>, <c>WRONGTYPE</c>). The rest may contain keys.</summary>
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
        "Redis refuses operations with {Error}; these operations fail as if Redis were unavailable. Check the "
            + "rights of the Redis user, the "
            + "memory of the server and the types of the keys",
        EventName = "RedisRefusesOperations"
    )]
    private static partial void LogRefused(ILogger logger, string error);
}
