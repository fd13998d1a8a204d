using System.Net;
using Bff.Concurrency;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>Connects, probes and replaces the connection in the background, outside of requests.</content>
public sealed partial class RedisState
{
    private static readonly TimeSpan ProbeWhenWell = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbeWhenAway = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// How long the server may be unavailable before the connection is replaced. The client library reconnects by itself, and a silent
    /// server usually answers again on the existing connection. A new connection discovers roles and slots again.
    /// </summary>
    private static readonly TimeSpan ReplaceAfter = TimeSpan.FromSeconds(2);

    /// <summary>Longest time to connect and to subscribe: one second, or the timeout of an operation if that is longer.</summary>
    private TimeSpan ConnectTimeout => _timeout > TimeSpan.FromSeconds(1) ? _timeout : TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Signal _wake = new();
    private readonly Dictionary<string, EndPoint> _heardFrom = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _firstAttempt = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _replace;
    private volatile bool _announce;
    private long _awaySince;
    private long _probedAt;
    private bool _wasAvailable;
    private string? _refusedPassword;

    /// <summary>
    /// Raised on a background thread whenever the connection and its subscriptions work again, and also the first time. Messages that were
    /// published before may have been missed, so listeners read their data again.
    /// </summary>
    public event EventHandler? Reconnected;

    /// <summary>Starts to connect if Redis is configured. Returns at once.</summary>
    internal void Start()
    {
        if (IsConfigured)
        {
            _ = _supervision.Value;
        }
    }

    /// <summary>
    /// Completes when the first attempt to connect has succeeded or failed. For startup work that no client waits for: a new process takes
    /// longer to connect than a request may wait, and startup work that failed only for that reason would be reported needlessly.
    /// </summary>
    internal Task Attempted(CancellationToken cancellation)
    {
        Start();
        return IsConfigured ? _firstAttempt.Task.WaitAsync(cancellation) : Task.CompletedTask;
    }

    private void Wake() => _wake.Set();

    private async Task Supervise()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await Check();
            }
#pragma warning disable CA1031 // The supervisor must survive every exception of the client library.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                LogProbeFailed(_logger, failure.GetType().Name); // The exception's message contains addresses.
            }

            _firstAttempt.TrySetResult();
            try
            {
                await _wake.Wait(IsAvailable && !_announce && !_durability.IsOpen ? ProbeWhenWell : ProbeWhenAway, _time, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task Check()
    {
        var isWell = _connection is { } current && !_replace && await Answers(current, _timeout) && HearsAll(current);
        if (isWell && !_connection!.IsWhole)
        {
            _replace = true; // The primary has changed, or the connection for durable writes is lost.
            isWell = false;
        }

        if (isWell && _access!.Password() is { } password && password != _connection!.Password)
        {
            await Renew(password);
        }

        if (!isWell && (_replace || _connection is null || AwayFor() > ReplaceAfter))
        {
            isWell = await Replace();
        }

        if (isWell && _connection!.Durable is { } writes)
        {
            await ProbeReplicas(writes);
        }

        isWell = isWell && _circuit.Close(_probedAt);
        if (isWell)
        {
            _awaySince = 0;
            if (!_wasAvailable)
            {
                _wasAvailable = _announce = true;
                LogBack(_logger);
            }
        }
        else if (_awaySince == 0)
        {
            _awaySince = Environment.TickCount64;
        }

        if (!isWell && _wasAvailable && (_circuit.IsOpen || _connection is not { IsConnected: true }))
        {
            _wasAvailable = false;
            LogAway(_logger);
        }

        if (isWell && _announce)
        {
            _announce = false;
            Announce();
        }
    }

    private TimeSpan AwayFor() => _awaySince == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Environment.TickCount64 - _awaySince);

    /// <summary>Probes the connections for commands and for subscriptions, because a lost subscription would go unnoticed.</summary>
    private async Task<bool> Answers(RedisConnection connection, TimeSpan within)
    {
        if (!connection.IsConnected)
        {
            return false;
        }

        _probedAt = _time.GetTimestamp();
        var commands = connection.Database.PingAsync();
        var subscriptions = connection.PingSubscriptions(within);
        try
        {
            await Task.WhenAll(commands, subscriptions).WaitAsync(within, _time, _stopping.Token);
            return true;
        }
        catch (TimeoutException)
        {
            Forget(commands);
            Forget(subscriptions);
            if (!commands.IsCompletedSuccessfully)
            {
                _circuit.TimedOut();
            }

            return false;
        }
        catch (RedisConnectionException)
        {
            // After a reconnection, the client library may refuse to use its connections for seconds. A new one works at once.
            _replace = _replace || connection.IsConnected;
            return false;
        }
    }

    /// <summary>
    /// Whether a server holds the subscription of every channel. In a cluster, the channels of a lost server move to another one while
    /// commands continue. Messages may have been missed meanwhile.
    /// </summary>
    private bool HearsAll(RedisConnection connection)
    {
        if (!connection.IsCluster)
        {
            return true;
        }

        foreach (var channel in _handlers.Keys)
        {
            if (connection.HeardFrom(channel) is not { } server)
            {
                return false;
            }

            if (_heardFrom.TryGetValue(channel, out var before) && !before.Equals(server))
            {
                _announce = true;
            }

            _heardFrom[channel] = server;
        }

        return true;
    }

    private async Task<bool> Replace()
    {
        var fresh = await RedisConnection.Open(_access!, ConnectTimeout, _timeout, _replicas, OnLost, OnRestored);
        // In a cluster, some connections may not be open yet.
        if (!fresh.IsConnected || !MayKeep(fresh) || !await Answers(fresh, fresh.IsCluster ? ConnectTimeout : _timeout))
        {
            Discard(fresh);
            return false;
        }

        _replace = true; // Stays true if a subscription fails.
        fresh.Durable?.Lost += () => OnDurableLost(fresh);
        await Use(fresh);
        _replace = false;
        _announce = true;
        return true;
    }

    /// <summary>
    /// Replaces the connection by one with the new password. Until the server accepts that, the connection with the old password stays in
    /// use.
    /// </summary>
    private async Task Renew(string password)
    {
        bool isTaken;
        try
        {
            isTaken = await Replace();
        }
        catch (RedisException)
        {
            isTaken = false;
        }

        if (isTaken)
        {
            LogRenewed(_logger);
        }
        else if (password != _refusedPassword)
        {
            _refusedPassword = password;
            LogNotRenewed(_logger);
        }
    }

    /// <summary>
    /// Opens the circuit. A restored connection is not used before a probe succeeds, because the client library may still refuse to send
    /// commands for a while.
    /// </summary>
    private void OnLost(RedisConnection connection)
    {
        if (connection == _connection)
        {
            _circuit.Open();
            Wake();
        }
    }

    private void OnRestored()
    {
        _announce = true;
        Wake();
    }

    private void Announce()
    {
        foreach (var handler in (Reconnected?.GetInvocationList() ?? []).Cast<EventHandler>())
        {
            try
            {
                handler(this, EventArgs.Empty);
            }
#pragma warning disable CA1031 // A listener that throws must not keep the others from being called.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                LogListenerFailed(_logger, failure);
            }
        }
    }

    /// <summary>Closes a connection in the background, because closing one to a dead server may take long.</summary>
    private static void Discard(RedisConnection connection) => Forget(Task.Run(connection.Dispose));

    /// <summary>
    /// Closes the old connection after <c>State:Timeout</c>. It may have recovered meanwhile, and its callers still get their answers.
    /// </summary>
    private async Task Retire(RedisConnection connection)
    {
        await Task.Delay(_timeout, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // No caller waits longer.
        Discard(connection);
    }

    /// <summary>Stops probing and closes the connection without waiting for it.</summary>
    public void Dispose()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        _stopping.Cancel();
        if (_connection is { } connection)
        {
            Discard(connection);
        }

        _stopping.Dispose();
    }

    [LoggerMessage(1304, LogLevel.Information, "Redis is available", EventName = "RedisAvailable")]
    private static partial void LogBack(ILogger logger);

    [LoggerMessage(
        1305,
        LogLevel.Information,
        "Redis accepted the new password of State:Redis:PasswordFile; the connection with the old one is closed",
        EventName = "RedisPasswordRenewed"
    )]
    private static partial void LogRenewed(ILogger logger);

    [LoggerMessage(
        1306,
        LogLevel.Warning,
        "Redis does not accept the new password of State:Redis:PasswordFile yet; the current connection "
            + "stays open, and the gateway tries the password again",
        EventName = "RedisPasswordNotAccepted"
    )]
    private static partial void LogNotRenewed(ILogger logger);

    [LoggerMessage(1307, LogLevel.Debug, "A probe of Redis failed: {Failure}", EventName = "RedisProbeFailed")]
    private static partial void LogProbeFailed(ILogger logger, string failure);

    [LoggerMessage(
        1308,
        LogLevel.Error,
        "A component failed to handle a message or reconnection of Redis; the other components are still notified",
        EventName = "RedisListenerFailed"
    )]
    private static partial void LogListenerFailed(ILogger logger, Exception failure);
}
