using System.Net;
using Bff.Concurrency;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>Connecting, probing and replacing the connection, away from any request.</content>
public sealed partial class RedisState
{
    private static readonly TimeSpan ProbeWhenWell = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbeWhenAway = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// The client library reconnects by itself, and a silent server mostly answers again on the connection that it has. A new one discovers
    /// roles and slots anew.
    /// </summary>
    private static readonly TimeSpan ReplaceAfter = TimeSpan.FromSeconds(2);

    /// <summary>To connect and to subscribe: a second, or as long as an operation may take.</summary>
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
    /// Raised on a background thread whenever connection and subscriptions are in place (again), the first time included:
    /// what was published before may have been missed, so read it again.
    /// </summary>
    public event EventHandler? Reconnected;

    /// <summary>Begins to connect, if there is anything to connect to. Returns at once.</summary>
    internal void Start()
    {
        if (IsConfigured)
        {
            _ = _supervision.Value;
        }
    }

    /// <summary>
    /// Completes when the first attempt to connect has ended, well or not: for work of the start that no client waits for. A process that
    /// has just begun takes longer to connect than a request may wait, and what fails for that alone is reported for nothing.
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
#pragma warning disable CA1031 // The supervisor outlives whatever the client library comes up with.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                LogProbeFailed(_logger, failure.GetType().Name); // Its message names addresses.
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
            _replace = true; // The primary is another, or durable writes have lost their connection.
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

    /// <summary>Commands and the subscriptions' own connection alike: a lost subscription would be silence.</summary>
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
            // After a reconnection the client library may refuse to use what it has for seconds; a new one knows better.
            _replace = _replace || connection.IsConnected;
            return false;
        }
    }

    /// <summary>
    /// In a cluster the channels of a server that is lost go over to another, while commands go on: what was said meanwhile may have been
    /// missed.
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
        // In a cluster some of its connections may not be made yet.
        if (!fresh.IsConnected || !MayKeep(fresh) || !await Answers(fresh, fresh.IsCluster ? ConnectTimeout : _timeout))
        {
            Discard(fresh);
            return false;
        }

        _replace = true; // Stays so when a subscription fails.
        fresh.Durable?.Lost += () => OnDurableLost(fresh);
        await Use(fresh);
        _replace = false;
        _announce = true;
        return true;
    }

    /// <summary>A connection with the new password. Until the server takes that, the one with the old password goes on.</summary>
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
    /// What connects again is not used before a probe was answered: for a while the client library may still refuse to send anything there.
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
#pragma warning disable CA1031 // One listener's mistake must not silence the others.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                LogListenerFailed(_logger, failure);
            }
        }
    }

    /// <summary>Closing a connection to a dead server may take its time.</summary>
    private static void Discard(RedisConnection connection) => Forget(Task.Run(connection.Dispose));

    /// <summary>The old connection may have come back by itself meanwhile: its callers still get their answers.</summary>
    private async Task Retire(RedisConnection connection)
    {
        await Task.Delay(_timeout, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // No caller waits longer.
        Discard(connection);
    }

    /// <summary>Ends probing and closes the connection without waiting for it.</summary>
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
        "Redis is connected with the new password of State:Redis:PasswordFile",
        EventName = "RedisPasswordRenewed"
    )]
    private static partial void LogRenewed(ILogger logger);

    [LoggerMessage(
        1306,
        LogLevel.Warning,
        "Redis does not accept the new password of State:Redis:PasswordFile yet; the present connection "
            + "stays open, and the password is tried again",
        EventName = "RedisPasswordNotAccepted"
    )]
    private static partial void LogNotRenewed(ILogger logger);

    [LoggerMessage(1307, LogLevel.Debug, "A probe of Redis failed: {Failure}", EventName = "RedisProbeFailed")]
    private static partial void LogProbeFailed(ILogger logger, string failure);

    [LoggerMessage(
        1308,
        LogLevel.Error,
        "A component could not handle a change of the Redis connection",
        EventName = "RedisListenerFailed"
    )]
    private static partial void LogListenerFailed(ILogger logger, Exception failure);
}
