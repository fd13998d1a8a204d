using System.Net.Sockets;
using Bff.Edge;

namespace Bff.Upstreams;

/// <summary>
/// A connection to a service over HTTP/1.1. A service may answer and close before it has the whole request (RFC 9112 section 9.5), but the
/// framework reads no answer before it has written the whole request, so a failed write would hide the answer. Writes after the service has
/// closed therefore succeed without effect; the read then returns the service's answer, or shows that there is none. Such a connection
/// serves no further request, because nothing more can be read from it.
/// </summary>
internal sealed class ServiceStream(Stream connection) : DuplexStream
{
    private bool _isCut;

    /// <summary>
    /// The body that is being forwarded, which need not be read any further after the service has closed. It flows with the write, because
    /// the framework gives a connection no other link to its request.
    /// </summary>
    public static readonly AsyncLocal<ArrivingBody?> Sends = new();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        connection.ReadAsync(buffer, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => connection.Read(buffer, offset, count);

    public override int Read(Span<byte> buffer) => connection.Read(buffer);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isCut)
        {
            return default;
        }

        var writing = connection.WriteAsync(buffer, cancellationToken);
        return writing.IsCompletedSuccessfully ? writing : Written(writing);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            if (!_isCut)
            {
                connection.Write(buffer);
            }
        }
        catch (IOException broken) when (HasHungUp(broken))
        {
            Cut();
        }
    }

    public override void Flush() => connection.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => connection.FlushAsync(cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            connection.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask Written(ValueTask writing)
    {
        try
        {
            await writing;
        }
        catch (IOException broken) when (HasHungUp(broken))
        {
            Cut();
        }
    }

    private void Cut()
    {
        _isCut = true;
        Sends.Value?.ServiceHungUp();
    }

    private static bool HasHungUp(Exception? broken)
    {
        while (broken is not (null or SocketException))
        {
            broken = broken.InnerException;
        }

        return broken
            is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown };
    }
}
