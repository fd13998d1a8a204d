using Bff.Concurrency;

namespace Bff.Events;

/// <summary>
/// What one open stream has still to send. Holds a few events at most; a reader that is slower than that is told to read the log instead.
/// </summary>
internal sealed class EventSubscription : IDisposable
{
    private const int Held = 32;
    private readonly Lock _lock = new();
    private readonly Signal _signal = new();
    private Queue<LoggedEvent>? _events; // Most streams are idle.
    private bool _isBehind;
    private long _due = long.MaxValue;

    /// <summary>Another event for this stream; never waits.</summary>
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

    /// <summary>Something may have been missed.</summary>
    public void FallBehind()
    {
        lock (_lock)
        {
            _events = null;
            _isBehind = true;
        }

        Signal();
    }

    /// <summary>The next event; null when there is none, or when the log is to be read, which is said once.</summary>
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

    /// <summary>Nothing is waiting to be sent or read.</summary>
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

    /// <summary>Returns when there may be something, or when <see cref="Tick"/> says that the moment has come.</summary>
    public Task Wait(long until, CancellationToken cancellation)
    {
        Volatile.Write(ref _due, until);
        return _signal.Wait(cancellation);
    }

    /// <summary>Time has passed.</summary>
    public void Tick(long now)
    {
        if (now >= Volatile.Read(ref _due))
        {
            Volatile.Write(ref _due, long.MaxValue);
            Signal();
        }
    }

    /// <summary>Ends the waiting.</summary>
    public void Signal() => _signal.Set();

    public void Dispose() => _signal.Dispose();
}
