using System.Collections.Concurrent;
using Bff.Edge;

namespace Bff.Routes;

/// <summary>
/// A service's body that fails when no data arrives for too long. Data that is already there costs no timer. The proxy's own timeout is the
/// same for all answers and does not use the <see cref="TimeProvider"/>.
/// </summary>
internal sealed class IdleTimeoutStream(Stream inner, TimeSpan idle, TimeProvider time) : ReadOnlyStream
{
    /// <summary>Pool of sources that are not cancelled and that no timer can cancel.</summary>
    private static readonly ConcurrentQueue<CancellationTokenSource> Unused = new();
    private const int MaxUnused = 256;

    private CancellationTokenSource? _silent = Unused.TryDequeue(out var unused) ? unused : new();
    private ITimer? _timer;
    private CancellationTokenRegistration _abandoned;
    private CancellationToken _linked;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_silent is null, this);
        if (cancellationToken != _linked)
        {
            _abandoned.Dispose();
            _linked = cancellationToken;
            _abandoned = cancellationToken.UnsafeRegister(static silent => ((CancellationTokenSource)silent!).Cancel(), _silent);
        }

        var read = inner.ReadAsync(buffer, _silent.Token);
        return read.IsCompletedSuccessfully ? read : Wait(read, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _silent is { } silent)
        {
            _silent = null;
            _abandoned.Dispose(); // Waits for a running callback; after this the source is not cancelled any more.
            inner.Dispose();
            if (_timer is null && Unused.Count < MaxUnused && silent.TryReset())
            {
                Unused.Enqueue(silent);
            }
            else
            {
                _timer?.Dispose();
                silent.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> Wait(ValueTask<int> read, CancellationToken cancellationToken)
    {
        _timer ??= time.CreateTimer(
            static silent => Cancel((CancellationTokenSource)silent!),
            _silent,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        _timer.Change(idle, Timeout.InfiniteTimeSpan);
        try
        {
            return await read;
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException("The service has been silent for longer than the route's IdleTimeout.", late);
        }
        finally
        {
            // A slow client does not count as a silent service.
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private static void Cancel(CancellationTokenSource silent)
    {
        try
        {
            silent.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The body ended at the same time as the timeout.
        }
    }
}
