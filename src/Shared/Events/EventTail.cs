using Bff.State;
using Microsoft.Extensions.Logging;

namespace Bff.Events;

/// <summary>
/// One reader of the log's end per instance, for all of its streams, and only while there are any. It reads when it hears that something was appended, and
/// every second in case it did not hear. Where numbers are missing, every stream is told to read its own log.
/// </summary>
internal sealed partial class EventTail(IEventLog log, EventMetrics metrics, TimeProvider time, ILogger<EventTail> logger) : IDisposable
{
    private const int PageSize = 200;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly IEventLog _log = log;
    private readonly TimeProvider _time = time;
    private readonly ILogger _logger = logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<EventSubscription>> _streams = new(StringComparer.Ordinal);
    private Run? _run;
    private int _count;

    /// <summary>Open streams.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Every event up to this place has been offered to its streams.</summary>
    public EventId ReadUpTo
    {
        get
        {
            lock (_lock)
            {
                return _run?.Position ?? default;
            }
        }
    }

    /// <summary>From when this returns on, the user's events are offered to the stream.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    public async Task<EventSubscription> Open(string user, CancellationToken cancellation)
    {
        var subscription = new EventSubscription();
        Run run;
        lock (_lock)
        {
            if (!_streams.TryGetValue(user, out var streams))
            {
                _streams[user] = streams = [];
            }

            streams.Add(subscription);
            _count++;
            run = _run ??= new Run(this);
        }

        try
        {
            await run.Started.WaitAsync(cancellation);
            return subscription;
        }
        catch
        {
            lock (_lock)
            {
                if (_run == run && run.Started.IsFaulted)
                {
                    _run = null; // The next one tries again.
                }
            }

            Close(user, subscription);
            throw;
        }
    }

    public void Close(string user, EventSubscription subscription)
    {
        lock (_lock)
        {
            if (_streams.TryGetValue(user, out var streams) && streams.Remove(subscription))
            {
                _count--;
                if (streams.Count == 0)
                {
                    _streams.Remove(user);
                }
            }

            if (_count == 0)
            {
                _run?.Dispose();
                _run = null;
            }
        }

        subscription.Dispose();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _run?.Dispose();
            _run = null;
        }
    }

    private void Offer(Run run, EventTailPage page, bool isGap)
    {
        lock (_lock)
        {
            if (isGap)
            {
                foreach (var streams in _streams.Values)
                {
                    streams.ForEach(static s => s.FallBehind());
                }
            }

            foreach (var item in page.Events)
            {
                if (item.Head.User is { } user && _streams.TryGetValue(user, out var streams))
                {
                    metrics.HandedOver(item.Id, "streams");
                    foreach (var stream in streams)
                    {
                        stream.Offer(item);
                    }
                }
            }

            run.Position = page.ReadUpTo;
        }
    }

    [LoggerMessage(LogLevel.Error, "Reading the end of the event log failed; trying again")]
    private static partial void LogFailed(ILogger logger, Exception failure);

    /// <summary>From the first stream's arrival to the last one's leaving.</summary>
    private sealed class Run : IDisposable
    {
        private readonly EventTail _tail;
        private readonly CancellationTokenSource _stopping = new();
        private readonly CancellationToken _stopped;
        private readonly SemaphoreSlim _wake = new(0, 1);
        private long _number;

        public Run(EventTail tail)
        {
            _tail = tail;
            _stopped = _stopping.Token;
            Started = Task.Run(Start);
        }

        public Task Started { get; }

        public EventId Position { get; set; }

        /// <summary>Ends the loop, which lets go of the rest by itself.</summary>
        public void Dispose() => _stopping.Cancel();

        private async Task Start()
        {
            var end = await _tail._log.End(_stopped);
            Position = end.Id;
            _number = end.Number;
            _ = Follow();
        }

        private async Task Follow()
        {
            using var appended = _tail._log.OnAppended(Wake);
            await using var timer = _tail._time.CreateTimer(static run => ((Run)run!).Wake(), this, LookEvery, LookEvery);
            while (!_stopped.IsCancellationRequested)
            {
                try
                {
                    await ReadToEnd();
                    await _wake.WaitAsync(_stopped);
                }
                catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
                {
                    return;
                }
                catch (StoreUnavailableException)
                {
                    await Pause();
                }
#pragma warning disable CA1031 // The streams depend on this loop.
                catch (Exception failure)
#pragma warning restore CA1031
                {
                    LogFailed(_tail._logger, failure);
                    await Pause();
                }
            }
        }

        private async Task ReadToEnd()
        {
            while (true)
            {
                var page = await _tail._log.ReadAll(Position, PageSize, _stopped);
                var isGap = page.Events.Count > 0 && page.FirstNumber != _number + 1;
                if (page.Events.Count > 0)
                {
                    _number = page.FirstNumber + page.Events.Count - 1;
                }

                _tail.Offer(this, page, isGap);
                if (page.Events.Count < PageSize)
                {
                    return;
                }
            }
        }

        private async Task Pause()
        {
            try
            {
                await Task.Delay(LookEvery, _tail._time, _stopped);
            }
            catch (OperationCanceledException)
            {
                // The loop looks.
            }
        }

        private void Wake()
        {
            try
            {
                if (_wake.CurrentCount == 0)
                {
                    _wake.Release();
                }
            }
            catch (SemaphoreFullException)
            {
                // Awake already.
            }
        }
    }
}
