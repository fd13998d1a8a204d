using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>States of a circuit breaker.</summary>
internal enum BreakerState
{
    /// <summary>All calls go out.</summary>
    Closed,

    /// <summary>One call at a time goes out, as the probe that tells whether the service is back.</summary>
    HalfOpen,

    /// <summary>No call goes out.</summary>
    Open,
}

/// <summary>Permission for one attempt. It is given back to the breaker with the attempt's result.</summary>
/// <param name="Round">Number of the period between two state changes in which it was given.</param>
/// <param name="IsProbe">Whether the attempt is the probe, whose result alone decides whether the breaker closes.</param>
internal readonly record struct BreakerPermit(int Round, bool IsProbe);

/// <summary>
/// A circuit breaker (M. Nygard, "Release It!"). 1. While closed, it counts answers and failures over <c>SamplingDuration</c>. 2. When at
/// least <c>FailureRatio</c> of at least <c>MinimumThroughput</c> calls have failed, it opens for <c>BreakDuration</c>. 3. Then one call is
/// the probe: an answer closes the breaker, a failure opens it again, and after an end that says nothing of the service the next call is
/// the probe. Results of attempts that began before a change of state are ignored.
/// </summary>
/// <param name="options">The thresholds and durations.</param>
/// <param name="time">The clock.</param>
/// <param name="changed">Called outside the lock when a closed breaker has opened, and when it has closed again.</param>
internal sealed class CircuitBreaker(BreakerOptions options, TimeProvider time, Action<BreakerState>? changed = null)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly RecentCount _good = new(options.SamplingDuration, time);
    private readonly RecentCount _failed = new(options.SamplingDuration, time);
    private volatile BreakerState _state;
    private int _round;
    private Deadline _until;
    private bool _isProbing;

    /// <summary>Current state. After the break it stays <see cref="BreakerState.Open"/> until the next call.</summary>
    public BreakerState State => _state;

    /// <summary>Time after which a refused call may try again.</summary>
    public TimeSpan RetryAfter
    {
        get
        {
            lock (_lock)
            {
                return _state == BreakerState.Open && _until.Left(time) is var left && left > TimeSpan.Zero ? left : Soon;
            }
        }
    }

    /// <summary>Asks for a permit for one attempt. Give it back with <see cref="Ended"/>.</summary>
    public bool TryEnter(out BreakerPermit permit)
    {
        lock (_lock)
        {
            if (_state == BreakerState.Closed)
            {
                permit = new(_round, IsProbe: false);
                return true;
            }

            if ((_state == BreakerState.Open || _isProbing) && !_until.HasPassed(time.GetTimestamp()))
            {
                permit = default;
                return false;
            }

            _state = BreakerState.HalfOpen;
            _isProbing = true;
            _until = Deadline.In(options.BreakDuration, time); // A probe that takes longer than a break loses its place.
            permit = new(++_round, IsProbe: true);
            return true;
        }
    }

    /// <summary>Records the result of an attempt.</summary>
    /// <param name="permit">The permit that <see cref="TryEnter"/> gave.</param>
    /// <param name="isGood">Whether the service is healthy; null when the attempt's end says nothing of the service.</param>
    public void Ended(in BreakerPermit permit, bool? isGood)
    {
        BreakerState before,
            after;
        lock (_lock)
        {
            if (permit.Round != _round)
            {
                return;
            }

            before = _state;
            if (permit.IsProbe)
            {
                Probed(isGood);
            }
            else if (isGood is { } good)
            {
                Count(good);
            }

            after = _state;
        }

        var isTold = (before == BreakerState.Closed) != (after == BreakerState.Closed);
        if (isTold)
        {
            changed?.Invoke(after);
        }
    }

    private void Probed(bool? isGood)
    {
        _isProbing = false;
        if (isGood is true)
        {
            _state = BreakerState.Closed;
            _round++;
            _good.Clear();
            _failed.Clear();
        }
        else if (isGood is false)
        {
            Open();
        }
    }

    private void Count(bool good)
    {
        (good ? _good : _failed).Add();
        if (good)
        {
            return;
        }

        var failures = _failed.Sum;
        var all = failures + _good.Sum;
        if (all >= options.MinimumThroughput && failures >= options.FailureRatio * all)
        {
            Open();
        }
    }

    private void Open()
    {
        _state = BreakerState.Open;
        _round++;
        _until = Deadline.In(options.BreakDuration, time);
    }
}
