using Bff.Concurrency;
using Bff.State;
using Microsoft.Extensions.Logging;

namespace Bff.Events;

/// <summary>
/// Reads the end of the log for all streams of this instance, and only while there are any. It reads when it hears that events were
/// appended, and every second in case it did not hear. If numbers are missing, every stream is told to read its own log. The same
/// one-second timer is the streams' clock, because a timer for each stream would wake the process for every heartbeat.
/// </summary>
internal sealed partial class EventTail(IEventLog log, EventMetrics metrics, TimeProvider time, ILogger<EventTail> logger) : IDisposable
{
    private const int PageSize = 200;

    /// <summary>Interval of reading. A stream that waits for a moment is woken at most this long before it.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly IEventLog _log = log;
    private readonly TimeProvider _time = time;
    private readonly BackgroundLoop _loop = new("event-tail", logger);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<EventSubscription>> _streams = new(StringComparer.Ordinal);
    private Run? _run;
    private int _count;

    /// <summary>Number of open streams.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The place up to which every event has been offered to its streams.</summary>
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

    /// <summary>Opens a stream. Once this returns, the user's events are offered to it.</summary>
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
                    _run = null; // The next stream tries again.
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

    private void Tick()
    {
        var now = _time.TimestampIn(LookEvery); // Whatever is due before the next tick is due now.
        lock (_lock)
        {
            foreach (var streams in _streams.Values)
            {
                foreach (var stream in streams)
                {
                    stream.Tick(now);
                }
            }
        }
    }
}
