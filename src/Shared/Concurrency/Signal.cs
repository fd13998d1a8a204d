namespace Bff.Concurrency;

/// <summary>Wakes a loop. However often it is set while the loop works, the loop runs once more.</summary>
public sealed class Signal : IDisposable
{
    private readonly SemaphoreSlim _set = new(0, 1);

    /// <summary>Makes the loop run once more. Has no effect when the signal is already set or the loop has ended.</summary>
    public void Set()
    {
        try
        {
            if (_set.CurrentCount == 0)
            {
                _set.Release();
            }
        }
        catch (Exception race) when (race is SemaphoreFullException or ObjectDisposedException)
        {
            // Another thread has set or disposed it at the same moment.
        }
    }

    /// <summary>Clears the signal.</summary>
    public void Clear() => _set.Wait(0, CancellationToken.None);

    /// <summary>Waits until the signal is set. Returns at once when it has been set since the last wait.</summary>
    public Task Wait(CancellationToken cancellation) => _set.WaitAsync(cancellation);

    /// <summary>Does the same, for a limited time.</summary>
    public async Task Wait(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var set = _set.WaitAsync(either.Token);
        await Task.WhenAny(set, Task.Delay(atMost, time, either.Token));
        await either.CancelAsync();
        await set.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// Works now, whenever the signal is set, and at every interval. Returns when the host stops. A tick that comes during the work is not
    /// lost.
    /// </summary>
    /// <param name="interval">The interval, in case the signal was missed.</param>
    /// <param name="time">The clock.</param>
    /// <param name="work">Does what is due. It must throw only when it is cancelled.</param>
    /// <param name="stopping">Cancelled when the host stops.</param>
    public async Task Follow(TimeSpan interval, TimeProvider time, Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(time);
        await using var timer = time.CreateTimer(static signal => ((Signal)signal!).Set(), this, interval, interval);
        await Follow(work, stopping);
    }

    /// <summary>Does the same without an interval, for a signal that is set elsewhere.</summary>
    public async Task Follow(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                await work(stopping);
                await Wait(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host is stopping.
        }
    }

    /// <inheritdoc />
    public void Dispose() => _set.Dispose();
}
