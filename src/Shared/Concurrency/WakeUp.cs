namespace Bff.Concurrency;

/// <summary>A semaphore of one place as a signal to a loop.</summary>
public static class WakeUp
{
    /// <summary>
    /// Lets the loop look once more. Nothing happens where it is to look already, or has ended and given its semaphore back.
    /// </summary>
    public static void Wake(this SemaphoreSlim signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        try
        {
            if (signal.CurrentCount == 0)
            {
                signal.Release();
            }
        }
        catch (Exception race) when (race is SemaphoreFullException or ObjectDisposedException)
        {
            // Another thread was faster.
        }
    }
}
