using System.Collections.Concurrent;
using Bff.Edge;

namespace Bff.Routes;

/// <summary>
/// A service's body that ends with an error when nothing of it comes for too long. What is there already costs no timer. The proxy's own
/// limit is one for all answers, and knows no fake clock.
/// </summary>
internal sealed class IdleTimeoutStream(Stream inner, TimeSpan idle, TimeProvider time) : ReadOnlyStream
{
    /// <summary>Sources that are not cancelled and that no timer may cancel.</summary>
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
            _abandoned.Dispose(); // Waits for a callback that is running: from here on it is not cancelled.
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
            // A client that is slow to take it is not the service's silence.
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
            // The body ended as its time was up.
        }
    }
}
