using System.Threading.RateLimiting;

namespace Bff.Upstreams;

/// <summary>
/// The place in the bulkhead and the time of an attempt whose body arrives while it is sent on. While the sender is waited for, the place
/// is others' and the time stands still: neither is the service's doing. Once the body is there the service has its whole time-out, and a
/// place if one is free; it has begun in any case.
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

    /// <summary>Cancelled when the service has taken too long, or the caller no longer waits.</summary>
    public CancellationToken Token => _limit.Token;

    /// <summary>
    /// Whether the body could not be read on while the service still had time: whatever breaks then is not its doing. What ends the reading
    /// may be there before the token of a client that has gone, whose callbacks run one after the other.
    /// </summary>
    public bool HasLostSender { get; private set; }

    /// <summary>
    /// Whether the sender has kept the service waiting for longer, in all, than the service may take itself. Servers bound that time too,
    /// and some hang up without a word: then it is not known whose doing it is.
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

    /// <summary>The body cannot be read on.</summary>
    public void SenderLost() => HasLostSender |= !_limit.IsCancellationRequested;

    /// <summary>The sender is waited for.</summary>
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

    /// <summary>Something has arrived, and the service is waited for.</summary>
    /// <param name="isLast">Nothing more will come.</param>
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

    /// <summary>The place, for the answer; null while the sender is still waited for.</summary>
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
