namespace Bff.Concurrency;

/// <summary>Work that several callers wait for and that belongs to none of them; see <see cref="SingleFlight{TKey}"/>.</summary>
public abstract class SharedRun : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource? _limit;
    private int _waiting = 1;
    private bool _isOver;

    private protected SharedRun(CancellationTokenSource? limit) => _limit = limit;

    /// <summary>Cancelled when the last waiter leaves or the time limit is reached; never for a run without a limit.</summary>
    public CancellationToken Token => _limit?.Token ?? CancellationToken.None;

    /// <summary>Adds a waiter. Returns false when it is too late to join.</summary>
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
            // The run ended at the same moment.
        }
    }
}

/// <summary>A shared run with a result.</summary>
public class SharedRun<T> : SharedRun
{
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Creates a run that completes even when no waiter is left.</summary>
    public SharedRun()
        : base(null) { }

    /// <summary>Creates a run that ends when its last waiter leaves. The caller that starts it is the first waiter.</summary>
    /// <param name="limit">The maximum duration of the run.</param>
    /// <param name="time">The clock.</param>
    public SharedRun(TimeSpan limit, TimeProvider time)
        : base(new(limit, time)) { }

    /// <summary>The result, for callers that are not counted as waiters.</summary>
    public Task<T> Result => _result.Task;

    /// <summary>Waits as a counted waiter: the caller started the run or joined it.</summary>
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

    /// <summary>Gives the result to all waiters.</summary>
    public void Complete(T result)
    {
        Over();
        _result.TrySetResult(result);
    }

    /// <summary>Gives a failure to all waiters.</summary>
    public void Fail(Exception failure)
    {
        Over();
        _result.TrySetException(failure);
        _ = _result.Task.Exception; // Marks the exception as observed, because no waiter may be left.
    }
}
