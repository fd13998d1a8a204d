using System.Collections.Concurrent;
using Bff.State;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.Sessions;

/// <summary>Ends what a session keeps open (SSE, WebSocket) when the session ends, on whichever instance that happens.</summary>
internal sealed partial class SessionStreams : IDisposable
{
    private readonly ConcurrentDictionary<SessionWatch, byte> _watches = new();
    private readonly SessionVault _vault;
    private readonly ISessionStore _store;
    private readonly RedisState _redis;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public SessionStreams(SessionVault vault, ISessionStore store, RedisState redis, TimeProvider time, ILogger<SessionStreams> logger)
    {
        (_vault, _store, _redis, _time, _logger) = (vault, store, redis, time, logger);
        store.Ended += OnEnded;
        redis.Reconnected += OnReconnected;
    }

    /// <summary>How many streams are open.</summary>
    public int Count => _watches.Count;

    /// <summary>A token that is cancelled when the session, or the request, ends. Dispose of it with the stream.</summary>
    public SessionWatch Watch(BrowserSession session, CancellationToken request)
    {
        var watch = new SessionWatch(this, session, request);
        _watches[watch] = 0;
        watch.CheckAt(_time.GetUtcNow()); // It may have ended since the request was let in, before anybody watched.
        return watch;
    }

    public void Dispose()
    {
        _redis.Reconnected -= OnReconnected;
        _store.Ended -= OnEnded;
    }

    internal void Remove(SessionWatch watch) => _watches.TryRemove(watch, out _);

    internal ITimer Timer(TimerCallback callback) => _time.CreateTimer(callback, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    internal TimeSpan Until(DateTimeOffset moment) => moment - _time.GetUtcNow();

    /// <summary>Looks whether the session still lives; a stream does not prolong it.</summary>
    internal async Task Check(SessionWatch watch)
    {
        try
        {
            if ((await _vault.Find(watch.Key, slides: false)).Session is { } session)
            {
                watch.CheckAt(session.EndsAt);
            }
            else
            {
                watch.End();
            }
        }
        catch (StoreException)
        {
            // Nobody is signed out because the store is away; past the absolute end there is nothing to ask.
            if (Until(watch.AbsoluteEnd) <= TimeSpan.Zero)
            {
                watch.End();
            }
            else
            {
                watch.CheckAt(_time.GetUtcNow() + TimeSpan.FromSeconds(5));
            }
        }
#pragma warning disable CA1031 // A stream whose session cannot be looked at ends.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            LogUnexpected(_logger, unexpected);
            watch.End();
        }
    }

    private void OnEnded(string key)
    {
        foreach (var (watch, _) in _watches)
        {
            if (watch.Key == key)
            {
                watch.End();
            }
        }
    }

    // Messages may have been missed.
    private void OnReconnected(object? sender, EventArgs e)
    {
        foreach (var (watch, _) in _watches)
        {
            _ = Check(watch);
        }
    }

    [LoggerMessage(LogLevel.Error, "An open stream's session cannot be looked at")]
    private static partial void LogUnexpected(ILogger logger, Exception unexpected);
}

/// <summary>The end of a session, as an open stream sees it.</summary>
internal sealed class SessionWatch : IDisposable
{
    private readonly SessionStreams _streams;
    private readonly CancellationTokenSource _ended;
    private readonly ITimer _timer;
    private int _isOver;

    public SessionWatch(SessionStreams streams, BrowserSession session, CancellationToken request)
    {
        _streams = streams;
        Key = session.Key;
        AbsoluteEnd = session.Record.EndsAt;
        _ended = CancellationTokenSource.CreateLinkedTokenSource(request);
        Ended = _ended.Token;
        _timer = streams.Timer(_ => _ = streams.Check(this));
    }

    public string Key { get; }

    public DateTimeOffset AbsoluteEnd { get; }

    /// <summary>Cancelled when the session or the request ends.</summary>
    public CancellationToken Ended { get; }

    public void CheckAt(DateTimeOffset moment)
    {
        if (Volatile.Read(ref _isOver) == 0)
        {
            var wait = _streams.Until(moment);
            _timer.Change(wait > TimeSpan.FromDays(1) ? TimeSpan.FromDays(1) : wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait, Timeout.InfiniteTimeSpan);
        }
    }

    public void End()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            _ = _ended.CancelAsync();
        }
    }

    public void Dispose()
    {
        _streams.Remove(this);
        Interlocked.Exchange(ref _isOver, 1);
        _timer.Dispose();
    }
}
