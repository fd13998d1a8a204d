using System.Threading.RateLimiting;

namespace Bff.Upstreams;

/// <summary>
/// Manages the bulkhead place and the timeout of an attempt whose body is sent on while it arrives. While the attempt waits for the sender,
/// other calls may use the place and the timeout is suspended, since the service is not the cause of the wait. When the whole body has
/// arrived, the service has its whole timeout, and the attempt takes a place again if one is free. If none is, the attempt goes on without.
/// </summary>
internal sealed class ArrivingAttempt : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ConcurrencyLimiter _bulkhead;
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _limit;
    private readonly CancellationTokenRegistration _abandoned;
    private readonly TimeProvider _time;
    private RateLimitLease? _place;
    private TimeSpan _waited;
    private long? _waitingSince;
    private bool _isOver;

    public ArrivingAttempt(
        RateLimitLease place,
        ConcurrencyLimiter bulkhead,
        TimeSpan timeout,
        TimeProvider time,
        CancellationToken abandoned
    )
    {
        (_place, _bulkhead, _timeout, _time) = (place, bulkhead, timeout, time);
        _limit = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _abandoned = abandoned.UnsafeRegister(static limit => ((CancellationTokenSource)limit!).Cancel(), _limit);
    }

    /// <summary>Cancelled when the service has taken too long, or when the caller no longer waits.</summary>
    public CancellationToken Token => _limit.Token;

    /// <summary>
    /// Whether reading the body failed while the service still had time. A failure after that is not the service's. This flag is needed
    /// because reading may fail before the token of a client that has gone is seen: the token's callbacks run one after the other.
    /// </summary>
    public bool HasLostSender { get; private set; }

    /// <summary>
    /// Whether the sender has kept the service waiting, in total, for longer than the service's own timeout. Servers limit that time too,
    /// and some close the connection without an answer. The cause of a broken connection is then unknown.
    /// </summary>
    public bool HasKeptServiceWaiting
    {
        get
        {
            lock (_lock)
            {
                return _waited + (_waitingSince is { } since ? _time.GetElapsedTime(since) : TimeSpan.Zero) > _timeout;
            }
        }
    }

    /// <summary>Records that the rest of the body cannot be read.</summary>
    public void SenderLost() => HasLostSender |= !_limit.IsCancellationRequested;

    /// <summary>Records that the attempt waits for the sender: suspends the timeout and releases the place.</summary>
    public void Wait()
    {
        lock (_lock)
        {
            if (!_isOver)
            {
                _limit.CancelAfter(Timeout.InfiniteTimeSpan);
                _waitingSince = _time.GetTimestamp();
                _place?.Dispose();
                _place = null;
            }
        }
    }

    /// <summary>Records that a piece of the body has arrived: restarts the timeout.</summary>
    /// <param name="isLast">Whether the body is complete.</param>
    public void Arrived(bool isLast)
    {
        lock (_lock)
        {
            if (!_isOver)
            {
                _limit.CancelAfter(_timeout);
                if (_waitingSince is { } since)
                {
                    _waited += _time.GetElapsedTime(since);
                    _waitingSince = null;
                }

                if (isLast && _place is null && _bulkhead.AttemptAcquire() is { IsAcquired: true } free)
                {
                    _place = free;
                }
            }
        }
    }

    /// <summary>Hands the place over to the answer. Returns null when the attempt holds none.</summary>
    public IDisposable? TakePlace()
    {
        lock (_lock)
        {
            var place = _place;
            (_place, _isOver) = (null, true);
            return place;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true;
            _place?.Dispose();
        }

        _abandoned.Dispose();
        _limit.Dispose();
    }
}
