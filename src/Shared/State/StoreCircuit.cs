namespace Bff.State;

/// <summary>
/// Circuit that opens when the store stops answering, so that later operations fail at once. Only operations that started before it opened
/// wait for their timeout.
/// </summary>
internal sealed class StoreCircuit(TimeSpan timeout, TimeProvider time)
{
    /// <summary>
    /// How long no operation must have been answered for a timeout to open the circuit. One slow answer among others is no outage, but a
    /// timeout while nothing else is answered is one. It opens at the first such timeout, so that the same request's next operation does
    /// not wait again. It is less than the whole timeout, because the last operation before the outage may have
    /// started before the last answer to another one.
    /// </summary>
    private readonly TimeSpan _silence = timeout * 0.75;

    private long _answeredAt = time.GetTimestamp();
    private long _openedAt;
    private volatile bool _isOpen;

    public bool IsOpen => _isOpen;

    public void Answered() => Volatile.Write(ref _answeredAt, time.GetTimestamp());

    /// <summary>Records a timeout. Returns true if this timeout opens the circuit.</summary>
    public bool TimedOut()
    {
        if (_isOpen || time.GetElapsedTime(Volatile.Read(ref _answeredAt)) < _silence)
        {
            return false;
        }

        Open();
        return true;
    }

    /// <summary>Opens the circuit until the store answers an operation that starts from now on.</summary>
    public void Open()
    {
        Volatile.Write(ref _openedAt, time.GetTimestamp());
        _isOpen = true;
    }

    /// <summary>
    /// Closes the circuit and returns true, unless the answered operation started before the circuit opened: a late answer does not end the
    /// outage.
    /// </summary>
    /// <param name="asked">Timestamp at which the answered operation started.</param>
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
