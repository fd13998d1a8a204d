using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>Whether calls go out.</summary>
internal enum BreakerState
{
    /// <summary>All of them.</summary>
    Closed,

    /// <summary>One at a time, which tries whether the service is back.</summary>
    HalfOpen,

    /// <summary>None.</summary>
    Open,
}

/// <summary>A call's leave to go out; goes back with what came of it.</summary>
/// <param name="Round">Between two changes of the breaker's state.</param>
/// <param name="IsProbe">It alone decides whether the breaker closes.</param>
internal readonly record struct BreakerPermit(int Round, bool IsProbe);

/// <summary>
/// A circuit breaker (M. Nygard, "Release It!"): 1. closed, it counts answers and failures over <c>SamplingDuration</c>; 2. from
/// <c>FailureRatio</c> of at least
/// <c>MinimumThroughput</c> on it is open for <c>BreakDuration</c>; 3. then one call is a probe: its answer closes the breaker, its failure
/// opens it anew, and an end that says nothing of the service leaves the place of the probe to the next call. What was sent before a change
/// of state says nothing about what is now.
/// </summary>
/// <param name="options">Its figures.</param>
/// <param name="time">The clock.</param>
/// <param name="changed">Told, outside the lock, that a closed breaker has opened or that it has closed again.</param>
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

    /// <summary>For metrics and tests; after the break it is open until the next call.</summary>
    public BreakerState State => _state;

    /// <summary>When a refused call may try again.</summary>
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

    /// <summary>Asks before a call goes out. A permit that was given comes back by <see cref="Ended"/>.</summary>
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
            _until = Deadline.In(options.BreakDuration, time); // A probe that takes longer than a break is not waited for.
            permit = new(++_round, IsProbe: true);
            return true;
        }
    }

    /// <summary>What came of a call.</summary>
    /// <param name="permit">As <see cref="TryEnter"/> gave it.</param>
    /// <param name="isGood">Whether the service is well; null when the call was ended from outside, which says nothing.</param>
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
