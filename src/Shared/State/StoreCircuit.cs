namespace Bff.State;

/// <summary>Remembers that the store stopped answering, so that only those find out by waiting who asked before it was known.</summary>
internal sealed class StoreCircuit(TimeSpan timeout, TimeProvider time)
{
    /// <summary>
    /// One slow answer among others is no outage; one that is missing while no other is answered either is. Already the same request's
    /// next operation must not wait again. Short of the whole time-out, because what was asked last before the outage may have seen
    /// another's answer yet.
    /// </summary>
    private readonly TimeSpan _silence = timeout * 0.75;

    private long _answeredAt = time.GetTimestamp();
    private long _openedAt;
    private volatile bool _isOpen;

    public bool IsOpen => _isOpen;

    public void Answered() => Volatile.Write(ref _answeredAt, time.GetTimestamp());

    /// <summary>True for the timeout that opens it.</summary>
    public bool TimedOut()
    {
        if (_isOpen || time.GetElapsedTime(Volatile.Read(ref _answeredAt)) < _silence)
        {
            return false;
        }

        Open();
        return true;
    }

    /// <summary>Until the store has answered what is asked from now on.</summary>
    public void Open()
    {
        Volatile.Write(ref _openedAt, time.GetTimestamp());
        _isOpen = true;
    }

    /// <summary>Whether it is closed now: what was asked before the silence and is noticed late does not end it.</summary>
    /// <param name="asked">When the store was asked what it has answered.</param>
    public bool Close(long asked)
    {
        if (_isOpen && asked < Volatile.Read(ref _openedAt))
        {
            return false;
        }

        Answered();
        _isOpen = false;
        return true;
    }
}
