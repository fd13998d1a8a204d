namespace Bff.State;

/// <summary>Remembers that the store stopped answering, so that only those find out by waiting who asked before it was known.</summary>
internal sealed class StoreCircuit(TimeSpan timeout, TimeProvider time)
{
    /// <summary>
    /// One slow answer among others is no outage; one that is missing while nobody else is answered either is. Already the same request's next operation
    /// must not wait again. Short of the whole time-out, because what was asked last before the outage may have seen another's answer yet.
    /// </summary>
    private readonly TimeSpan _silence = timeout * 0.75;

    private long _answeredAt = time.GetTimestamp();
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

        _isOpen = true;
        return true;
    }

    public void Close()
    {
        Answered();
        _isOpen = false;
    }
}
