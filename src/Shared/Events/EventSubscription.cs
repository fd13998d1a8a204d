using Bff.Concurrency;

namespace Bff.Events;

/// <summary>
/// The events that one open stream has still to send. Holds a few events at most; a slower reader is told to read the log instead.
/// </summary>
internal sealed class EventSubscription : IDisposable
{
    private const int Held = 32;
    private readonly Lock _lock = new();
    private readonly Signal _signal = new();
    private Queue<LoggedEvent>? _events; // Null if empty, because most streams are idle.
    private bool _isBehind;
    private long _due = long.MaxValue;

    /// <summary>Adds an event for this stream. Never waits.</summary>
    public void Offer(LoggedEvent item)
    {
        lock (_lock)
        {
            if (_isBehind)
            {
                return;
            }

            if (_events?.Count >= Held)
            {
                _events = null;
                _isBehind = true;
            }
            else
            {
                (_events ??= new(4)).Enqueue(item);
            }
        }

        Signal();
    }

    /// <summary>Marks the stream as having possibly missed events.</summary>
    public void FallBehind()
    {
        lock (_lock)
        {
            _events = null;
            _isBehind = true;
        }

        Signal();
    }

    /// <summary>
    /// Returns the next event. Null if there is none or the stream fell behind. <paramref name="isBehind"/> tells the reader to read the
    /// log, once.
    /// </summary>
    public LoggedEvent? Next(out bool isBehind)
    {
        lock (_lock)
        {
            isBehind = _isBehind;
            _isBehind = false;
            LoggedEvent? next = null;
            if (_events?.TryDequeue(out next) == true && _events.Count == 0)
            {
                _events = null;
            }

            return next;
        }
    }

    /// <summary>Whether nothing is waiting to be sent or read.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _events is null && !_isBehind;
            }
        }
    }

    /// <summary>
    /// Returns when there may be an event, or when <see cref="Tick"/> reports that the time <paramref name="until"/> has come.
    /// </summary>
    public Task Wait(long until, CancellationToken cancellation)
    {
        Volatile.Write(ref _due, until);
        return _signal.Wait(cancellation);
    }

    /// <summary>Reports the current time.</summary>
    public void Tick(long now)
    {
        if (now >= Volatile.Read(ref _due))
        {
            Volatile.Write(ref _due, long.MaxValue);
            Signal();
        }
    }

    /// <summary>Ends the wait.</summary>
    public void Signal() => _signal.Set();

    public void Dispose() => _signal.Dispose();
}
