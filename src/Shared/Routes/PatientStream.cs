using System.Collections.Concurrent;

namespace Bff.Routes;

/// <summary>Reads of it end after a while in which nothing came. What is there already costs no timer.</summary>
internal sealed class PatientStream(Stream inner, TimeSpan idle, TimeProvider time) : Stream
{
    /// <summary>Sources that nobody has cancelled and no timer may cancel yet.</summary>
    private static readonly ConcurrentQueue<CancellationTokenSource> Unused = new();
    private const int MaxUnused = 256;

    private CancellationTokenSource? _silent = Unused.TryDequeue(out var unused) ? unused : new();
    private ITimer? _timer;
    private CancellationTokenRegistration _abandoned;
    private CancellationToken _linked;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

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

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && _silent is { } silent)
        {
            _silent = null;
            _abandoned.Dispose(); // Waits for a callback that is running: from here on nobody cancels it.
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
        _timer ??= time.CreateTimer(static silent => Cancel((CancellationTokenSource)silent!), _silent, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan); // A client that is slow to take it is not the service's silence.
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
