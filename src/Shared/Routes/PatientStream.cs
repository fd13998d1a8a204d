namespace Bff.Routes;

/// <summary>Reads of it end after a while in which nothing came.</summary>
internal sealed class PatientStream(Stream inner, TimeSpan idle, TimeProvider time) : Stream
{
    private readonly CancellationTokenSource _silent = new(Timeout.InfiniteTimeSpan, time);
    private CancellationTokenRegistration _abandoned;
    private CancellationToken _linked;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken != _linked)
        {
            await _abandoned.DisposeAsync();
            _linked = cancellationToken;
            _abandoned = cancellationToken.UnsafeRegister(static silent => ((CancellationTokenSource)silent!).Cancel(), _silent);
        }

        _silent.CancelAfter(idle);
        try
        {
            return await inner.ReadAsync(buffer, _silent.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException("The service has been silent for longer than the route's IdleTimeout.", late);
        }
        finally
        {
            _silent.CancelAfter(Timeout.InfiniteTimeSpan); // A client that is slow to take it is not the service's silence.
        }
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
        if (disposing)
        {
            _abandoned.Dispose();
            _silent.Dispose();
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
