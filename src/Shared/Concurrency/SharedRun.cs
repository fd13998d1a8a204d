namespace Bff.Concurrency;

/// <summary>Work that several wait for and that belongs to none of them; see <see cref="SingleFlight{TKey}"/>.</summary>
public abstract class SharedRun : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource? _limit;
    private int _waiting = 1;
    private bool _isOver;

    private protected SharedRun(CancellationTokenSource? limit) => _limit = limit;

    /// <summary>Cancelled when the last that waited has gone, or the time is up; never for a run without a limit.</summary>
    public CancellationToken Token => _limit?.Token ?? CancellationToken.None;

    /// <summary>Counts one more that waits. False when it is too late to join.</summary>
    public bool TryJoin()
    {
        lock (_lock)
        {
            if (_isOver || _waiting == 0)
            {
                return false;
            }

            _waiting++;
            return true;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _limit?.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected void Over()
    {
        lock (_lock)
        {
            _isOver = true;
        }
    }

    private protected void Leave()
    {
        lock (_lock)
        {
            if (--_waiting > 0 || _isOver || _limit is null)
            {
                return;
            }

            _isOver = true;
        }

        try
        {
            _limit.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended at this very moment.
        }
    }
}

/// <summary>The same with what it brings.</summary>
public class SharedRun<T> : SharedRun
{
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A run that goes to its end also when it has no waiter left.</summary>
    public SharedRun()
        : base(null) { }

    /// <summary>A run that ends with the last that waits for it. Its first waiter is who begins it.</summary>
    /// <param name="limit">The longest that it may last.</param>
    /// <param name="time">The clock.</param>
    public SharedRun(TimeSpan limit, TimeProvider time)
        : base(new(limit, time)) { }

    /// <summary>What it brings, for those who are not counted.</summary>
    public Task<T> Result => _result.Task;

    /// <summary>Waits as one of those who are counted: who began it, or joined it.</summary>
    public async ValueTask<T> Wait(CancellationToken cancellation)
    {
        try
        {
            return await _result.Task.WaitAsync(cancellation);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Hands the result to all.</summary>
    public void Complete(T result)
    {
        Over();
        _result.TrySetResult(result);
    }

    /// <summary>Hands a failure to all.</summary>
    public void Fail(Exception failure)
    {
        Over();
        _result.TrySetException(failure);
        _ = _result.Task.Exception; // Observed: the run may have no waiter left.
    }
}
