using Bff.Edge;

namespace Bff.Routes;

/// <summary>
/// The client's side of a WebSocket that is forwarded. Payloads pass in both directions unread. Between the frames to the client, the
/// gateway
/// 1. pings when nothing has passed for a while; the pong goes on to the service, so that every connection on the way carries traffic; 2.
/// closes with 1001 when neither side has sent anything during the route's idle timeout; 3. also closes when the host drains, after the
/// current message. The client's close frame goes on to the service.
/// </summary>
internal sealed class RelayedSocket : DuplexStream
{
    /// <summary>Shorter than the idle timeouts of load balancers and NAT.</summary>
    public static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(30);

    /// <summary>Time for the current message to end, and then for the client to answer the close.</summary>
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(5);

    private static readonly byte[] Ping = [0x89, (byte)SocketFrames.Mark.Length, .. SocketFrames.Mark];
    private static readonly byte[] GoingAway = [0x88, 2, 1001 >> 8, 1001 & 0xff];

    private readonly Stream _client;
    private readonly TimeProvider _time;
    private readonly TimeSpan _idle;
    private readonly Action _abort;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly SocketFrames _fromClient = new();
    private readonly SocketFrames _toClient = new();
    private readonly ITimer _tick;
    private readonly ITimer _limit;
    private readonly CancellationTokenRegistration _draining;
    private long _counted;
    private long _seen;
    private long _lastFrame;
    private int _isClosing;
    private bool _isClosed;
    private bool _isGone;

    public RelayedSocket(Stream client, TimeSpan idle, TimeProvider time, Action abort, CancellationToken draining)
    {
        (_client, _idle, _time, _abort, _lastFrame) = (client, idle, time, abort, time.GetTimestamp());
        _limit = time.CreateTimer(
            static socket => ((RelayedSocket)socket!).Late(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        var every = idle < PingEvery ? idle : PingEvery;
        _tick = time.CreateTimer(static socket => ((RelayedSocket)socket!).Tick(), this, every, every);
        _draining = draining.UnsafeRegister(static socket => ((RelayedSocket)socket!).GoAway(), this);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _client.ReadAsync(buffer, cancellationToken);
        _fromClient.Take(buffer.Span[..read]);
        return read;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (_isClosed)
            {
                return; // The client has been told that nothing more comes.
            }

            await _client.WriteAsync(buffer, cancellationToken);
            _toClient.Take(buffer.Span);
            await CloseIfDue(cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => _client.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException("Sockets are written asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Sockets are read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("Sockets are written asynchronously.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _isGone = true;
            _draining.Dispose();
            _tick.Dispose();
            _limit.Dispose();
            _client.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Tick()
    {
        var count = _fromClient.Count + Volatile.Read(ref _counted);
        var now = _time.GetTimestamp();
        if (count != _seen)
        {
            (_seen, _lastFrame) = (count, now);
        }
        else if (_time.GetElapsedTime(_lastFrame, now) >= _idle)
        {
            GoAway(); // 2
        }
        else
        {
            _ = Put(Ping); // 1
        }
    }

    /// <summary>3. Closes the socket when the current message has ended.</summary>
    private void GoAway()
    {
        if (Interlocked.Exchange(ref _isClosing, 1) == 0)
        {
            _limit.Change(CloseLimit, CloseLimit);
            _ = Put(frame: null);
        }
    }

    /// <summary>Aborts the socket, because the service has not ended its message or the client does not answer.</summary>
    private void Late()
    {
        if (!_isGone)
        {
            _abort();
        }
    }

    private async Task Put(byte[]? frame)
    {
        await _writing.WaitAsync();
        try
        {
            if (frame is not null && !_isClosed && !_isGone && _toClient.IsBetweenFrames)
            {
                await _client.WriteAsync(frame);
            }

            await CloseIfDue(CancellationToken.None);
        }
#pragma warning disable CA1031 // The copy between the two sides meets the same error and ends the socket.
        catch (Exception)
#pragma warning restore CA1031
        { }
        finally
        {
            _writing.Release();
        }
    }

    private async ValueTask CloseIfDue(CancellationToken cancellation)
    {
        Volatile.Write(ref _counted, _toClient.Count);
        if (Volatile.Read(ref _isClosing) == 1 && !_isClosed && !_isGone && _toClient.IsBetweenMessages)
        {
            _isClosed = true;
            if (!_toClient.IsClosed)
            {
                await _client.WriteAsync(GoingAway, cancellation);
            }
        }
    }
}
