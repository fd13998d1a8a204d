using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Architecture.Tests;

/// <summary>
/// A service that records every request target byte by byte, even those that a server would refuse, and answers <c>{}</c>.
/// </summary>
internal sealed class TargetRecorder : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _accepting;

    public TargetRecorder()
    {
        _listener.Start();
        _accepting = Accept();
    }

    public ConcurrentQueue<string> Targets { get; } = new();

    public Uri Address => new($"http://{_listener.LocalEndpoint}/");

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopped.Dispose();
    }

    private async Task Accept()
    {
        while (true)
        {
            _ = Serve(await _listener.AcceptTcpClientAsync(_stopped.Token));
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.Latin1);
            while (await reader.ReadLineAsync(_stopped.Token) is { Length: > 0 } line)
            {
                var target = line.Split(' ')[1];
                var length = 0;
                while (await reader.ReadLineAsync(_stopped.Token) is { Length: > 0 } header)
                {
                    length = header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)
                        ? int.Parse(header["Content-Length:".Length..], null)
                        : length;
                }

                if (length > 0) // Otherwise it would wait for the next request.
                {
                    await reader.ReadBlockAsync(new char[length], _stopped.Token);
                }

                Targets.Enqueue(target);
                await stream.WriteAsync(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray(),
                    _stopped.Token
                );
            }
        }
    }
}
