using System.Net.Sockets;
using System.Text;

namespace Bff.TestKit;

/// <summary>A client that sends a request piece by piece, when the test says so.</summary>
public sealed class RawSender : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly CancellationTokenSource _timeLimit = new(TimeSpan.FromSeconds(60));

    private Stream _stream = Stream.Null;

    private RawSender() { }

    /// <summary>Connects, and sends a first piece.</summary>
    public static async Task<RawSender> Start(Uri host, string piece)
    {
        var sender = new RawSender();
        await sender._client.ConnectAsync(host.Host, host.Port, sender._timeLimit.Token);
        sender._stream = sender._client.GetStream();
        await sender.Send(piece);
        return sender;
    }

    /// <summary>Sends a further piece, one byte per character; what the other side does not take any more is dropped.</summary>
    public async Task Send(string piece)
    {
        try
        {
            await _stream.WriteAsync(Encoding.Latin1.GetBytes(piece), _timeLimit.Token);
        }
        catch (IOException)
        {
            // It has answered by then.
        }
    }

    /// <summary>Says that nothing more will come, and still listens.</summary>
    public void End() => _client.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Ends the connection so that the other side hears of it as an error.</summary>
    public void Reset()
    {
        _client.LingerState = new LingerOption(true, 0);
        _client.Close();
    }

    /// <summary>The first line that comes, such as <c>HTTP/1.1 100 Continue</c>.</summary>
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

    /// <summary>The answer; its status is 0 when there is none.</summary>
    public Task<RawResponse> Answer() => RawHttp.Read(_stream, isHead: false, _timeLimit.Token);

    public void Dispose()
    {
        _client.Dispose();
        _timeLimit.Dispose();
    }
}
