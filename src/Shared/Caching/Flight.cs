using Bff.Upstreams;

namespace Bff.Caching;

/// <summary>
/// One read that several callers wait for. It belongs to none of them: it ends when the last has gone, or when its time is up.
/// </summary>
internal sealed class Flight<T>(TagStamp stamp, ReadStamp reads, TimeSpan limit, TimeProvider time) : IDisposable
{
    private readonly TaskCompletionSource<Fragment<T>> _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ended = new(limit, time);
    private readonly Lock _lock = new();
    private int _waiting = 1;
    private bool _isOver;

    public TagStamp Stamp { get; } = stamp;

    public ReadStamp Reads { get; } = reads;

    public CancellationToken Token => _ended.Token;

    /// <summary>False when it is too late to join.</summary>
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

    /// <summary>Waits as one of those counted by the constructor or <see cref="TryJoin"/>.</summary>
    public async ValueTask<Fragment<T>> Wait(CancellationToken cancellation)
    {
        try
        {
            return await _landed.Task.WaitAsync(cancellation);
        }
        finally
        {
            Leave();
        }
    }

    public void Land(Fragment<T> fragment)
    {
        Over();
        _landed.TrySetResult(fragment);
    }

    public void Crash(Exception failure)
    {
        Over();
        _landed.TrySetException(failure);
        _ = _landed.Task.Exception; // Observed: perhaps nobody waits any more.
    }

    public void Dispose() => _ended.Dispose();

    private void Over()
    {
        lock (_lock)
        {
            _isOver = true;
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (--_waiting > 0 || _isOver)
            {
                return;
            }

            _isOver = true;
        }

        try
        {
            _ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It landed at this very moment.
        }
    }
}
