namespace Bff.State;

/// <summary>Remembers that the store stopped answering, so that only the first requests find out by waiting.</summary>
internal sealed class StoreCircuit
{
    /// <summary>One slow answer may be a pause of either side; this many in a row are an outage.</summary>
    private const int TimeoutsInARow = 3;

    private int _timeouts;
    private volatile bool _isOpen;

    public bool IsOpen => _isOpen;

    public void Answered()
    {
        if (Volatile.Read(ref _timeouts) != 0)
        {
            Volatile.Write(ref _timeouts, 0);
        }
    }

    /// <summary>True for the timeout that opens it.</summary>
    public bool TimedOut()
    {
        if (Interlocked.Increment(ref _timeouts) < TimeoutsInARow || _isOpen)
        {
            return false;
        }

        _isOpen = true;
        return true;
    }

    public void Close()
    {
        Volatile.Write(ref _timeouts, 0);
        _isOpen = false;
    }
}
