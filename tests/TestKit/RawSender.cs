using System.Net.Sockets;
using System.Text;

namespace Bff.TestKit;

/// <summary>A client that sends a request piece by piece, controlled by the test.</summary>
public sealed class RawSender : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly CancellationTokenSource _timeLimit = new(TimeSpan.FromSeconds(60));

    private Stream _stream = Stream.Null;

    private RawSender() { }

    /// <summary>Connects and sends a first piece.</summary>
    public static async Task<RawSender> Start(Uri host, string piece)
    {
        var sender = new RawSender();
        await sender._client.ConnectAsync(host.Host, host.Port, sender._timeLimit.Token);
        sender._stream = sender._client.GetStream();
        await sender.Send(piece);
        return sender;
    }

    /// <summary>Sends a further piece, one byte per character; drops what the server no longer accepts.</summary>
    public async Task Send(string piece)
    {
        try
        {
            await _stream.WriteAsync(Encoding.Latin1.GetBytes(piece), _timeLimit.Token);
        }
        catch (IOException)
        {
            // The server has answered by then.
        }
    }

    /// <summary>Closes the sending side, and keeps listening.</summary>
    public void End() => _client.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Resets the connection, which the other side sees as an error.</summary>
    public void Reset()
    {
        _client.LingerState = new LingerOption(true, 0);
        _client.Close();
    }

    /// <summary>Reads the first line, such as <c>HTTP/1.1 100 Continue</c>.</summary>
    public async Task<string> Line()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while ((line.Length == 0 || line[^1] != '\n') && await _stream.ReadAsync(one, _timeLimit.Token) > 0)
        {
            line.Append((char)one[0]);
        }

        return line.ToString().TrimEnd();
    }

    /// <summary>Reads the answer; its status is 0 if there is none.</summary>
    public Task<RawResponse> Answer() => RawHttp.Read(_stream, isHead: false, _timeLimit.Token);

    public void Dispose()
    {
        _client.Dispose();
        _timeLimit.Dispose();
    }
}
