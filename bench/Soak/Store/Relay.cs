using System.Net;
using System.Net.Sockets;

namespace Bff.Bench.Soak.Store;

/// <summary>
/// Relays the replication between the two servers and can make it lag: while held, the replica stays connected and receives nothing.
/// </summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private CancellationTokenSource _cut = new();
    private TaskCompletionSource? _held;

    public Relay()
    {
        _listener.Start();
        _accepting = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The primary's port.</summary>
    public int Target { get; set; }

    public void Hold() => _held ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends every connection and drops the held bytes. New connections pass.</summary>
    public void Cut()
    {
        var (cut, held) = (Interlocked.Exchange(ref _cut, new()), Interlocked.Exchange(ref _held, null));
        cut.Cancel();
        held?.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Cut();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
        _cut.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                _ = Carry(await _listener.AcceptTcpClientAsync(_stop.Token), _cut.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The soak is over.
        }
    }

    private async Task Carry(TcpClient replica, CancellationToken cut)
    {
        using var primary = new TcpClient();
        using (replica)
        {
            try
            {
                await primary.ConnectAsync(IPAddress.Loopback, Target, cut);
                await Task.WhenAny(
                    Pump(primary.GetStream(), replica.GetStream(), cut),
                    Pump(replica.GetStream(), primary.GetStream(), cut)
                );
            }
            catch (Exception ended) when (ended is OperationCanceledException or SocketException or IOException)
            {
                // The replica connects again by itself.
            }
        }
    }

    private async Task Pump(NetworkStream from, NetworkStream to, CancellationToken cut)
    {
        try
        {
            var buffer = new byte[64 * 1024];
            while (await from.ReadAsync(buffer, cut) is > 0 and var read)
            {
                if (_held is { } held)
                {
                    await held.Task.WaitAsync(cut);
                }

                cut.ThrowIfCancellationRequested();
                await to.WriteAsync(buffer.AsMemory(0, read), cut);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        {
            // One side has closed, so the other is closed too.
        }
    }
}
