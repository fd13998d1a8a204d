namespace Bff.TestKit;

/// <summary>Wraps a clock and runs an action, once, between two steps of the code that uses the clock.</summary>
public sealed class InterruptedTimeProvider(TimeProvider clock) : TimeProvider
{
    private Action? _beforeLook;
    private Action? _beforeTimer;
    private TimeSpan? _dueTime;

    /// <summary>Whether all actions have started.</summary>
    public bool HasHappened => _beforeLook is null && _beforeTimer is null;

    public override long TimestampFrequency => clock.TimestampFrequency;

    /// <summary>Runs an action before the time of day is next read.</summary>
    public void BeforeLook(Action happens) => _beforeLook = happens;

    /// <summary>Runs an action before the next timer is created, or the next with this due time.</summary>
    public void BeforeTimer(Action happens, TimeSpan? dueTime = null) => (_dueTime, _beforeTimer) = (dueTime, happens);

    public override DateTimeOffset GetUtcNow()
    {
        Interlocked.Exchange(ref _beforeLook, null)?.Invoke();
        return clock.GetUtcNow();
    }

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (_dueTime is null || _dueTime == dueTime)
        {
            Interlocked.Exchange(ref _beforeTimer, null)?.Invoke();
        }

        return clock.CreateTimer(callback, state, dueTime, period);
    }
}
