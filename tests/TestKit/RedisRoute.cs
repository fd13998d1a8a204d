using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bff.TestKit;

/// <summary>
/// A proxy between a host and a Redis server. Behind its one address the server may change, as in a failover, and published messages may
/// get lost while everything else arrives.
/// </summary>
public sealed class RedisRoute : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, byte> _open = new();
    private volatile RedisServer? _server;
    private volatile bool _losesMessages;
    private int _lost;

    public RedisRoute(RedisServer server)
    {
        _server = server;
        _listener.Start();
        Address = _listener.LocalEndpoint.ToString()!;
        _ = Accept();
    }

    /// <summary>Value for <c>ConnectionStrings:redis</c>.</summary>
    public string Address { get; }

    /// <summary>Delay of every answer.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Number of lost messages.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <summary>Drops messages from now on, but keeps connections.</summary>
    public void LoseMessages() => _losesMessages = true;

    /// <summary>Ends every connection and leads new ones to another server; null leads nowhere.</summary>
    public void LeadTo(RedisServer? server)
    {
        _server = server;
        foreach (var (client, _) in _open)
        {
            client.Dispose();
        }
    }

    public void Dispose()
    {
        _listener.Stop();
        LeadTo(null);
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                _ = Join(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task Join(TcpClient client)
    {
        using var server = new TcpClient();
        try
        {
            _open[client] = 0;
            _open[server] = 0;
            if (_server is not { } target)
            {
                return;
            }

            await server.ConnectAsync(IPAddress.Loopback, target.Port);
            if (_server != target)
            {
                return;
            }

            var (near, far) = (client.GetStream(), server.GetStream());
            await Task.WhenAny(near.CopyToAsync(far), CopyReplies(far, near));
        }
        catch (Exception cut) when (cut is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // One side has disconnected.
        }
        finally
        {
            client.Dispose();
            _open.TryRemove(client, out _);
            _open.TryRemove(server, out _);
        }
    }

    private async Task CopyReplies(NetworkStream from, NetworkStream to)
    {
        var held = new List<byte>();
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer)) > 0)
        {
            held.AddRange(buffer.AsSpan(0, read));
            var whole = held.ToArray();
            var at = 0;
            using var passes = new MemoryStream();
            while (Frame(whole, at) is var end and > 0)
            {
                if (_losesMessages && IsMessage(whole.AsSpan(at, end - at)))
                {
                    Interlocked.Increment(ref _lost);
                }
                else
                {
                    passes.Write(whole, at, end - at);
                }

                at = end;
            }

            held.RemoveRange(0, at);
            await Task.Delay(Delay);
            await to.WriteAsync(passes.ToArray());
        }
    }

    private static bool IsMessage(ReadOnlySpan<byte> frame) =>
        frame[0] is (byte)'*' or (byte)'>' && frame[1..].StartsWith("3\r\n$7\r\nmessage\r\n"u8);

    /// <summary>Returns the end of the reply that starts at an index (RESP 2 and 3); 0 while it is incomplete.</summary>
    private static int Frame(byte[] bytes, int at)
    {
        var line = at < bytes.Length ? Array.IndexOf(bytes, (byte)'\n', at) + 1 : 0;
        if (line == 0)
        {
            return 0;
        }

        var kind = (char)bytes[at];
        var text = System.Text.Encoding.ASCII.GetString(bytes, at + 1, line - at - 3);
        if (kind is '$' or '=' or '!')
        {
            var end = line + (int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) is var length and >= 0 ? length + 2 : 0);
            return end <= bytes.Length ? end : 0;
        }

        if (kind is '*' or '>' or '~' or '%')
        {
            var members = int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) * (kind == '%' ? 2 : 1);
            for (var i = 0; i < members; i++)
            {
                if ((line = Frame(bytes, line)) == 0)
                {
                    return 0;
                }
            }
        }

        return line;
    }
}
