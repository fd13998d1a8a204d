namespace Bff.Concurrency;

/// <summary>Wakes a loop. However often it is set while the loop works, the loop looks once more.</summary>
public sealed class Signal : IDisposable
{
    private readonly SemaphoreSlim _set = new(0, 1);

    /// <summary>Lets the loop look once more. Nothing happens where it is to look already, or where it has ended.</summary>
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
            // Another thread was faster.
        }
    }

    /// <summary>Forgets that it was set.</summary>
    public void Clear() => _set.Wait(0, CancellationToken.None);

    /// <summary>Returns when it is set, or has been since the last wait.</summary>
    public Task Wait(CancellationToken cancellation) => _set.WaitAsync(cancellation);

    /// <summary>The same, for a while at most.</summary>
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
    /// Works now, whenever the signal is set, and at every interval, until the host stops; then it returns. A tick that comes while it works
    /// is not lost.
    /// </summary>
    /// <param name="interval">In case that the signal was missed.</param>
    /// <param name="time">The clock.</param>
    /// <param name="work">Does what there is to do, and throws nothing but that it was cancelled.</param>
    /// <param name="stopping">The host stops.</param>
    public async Task Follow(TimeSpan interval, TimeProvider time, Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(time);
        await using var timer = time.CreateTimer(static signal => ((Signal)signal!).Set(), this, interval, interval);
        await Follow(work, stopping);
    }

    /// <summary>The same where another clock sets the signal.</summary>
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
            // The host stops.
        }
    }

    /// <inheritdoc />
    public void Dispose() => _set.Dispose();
}
