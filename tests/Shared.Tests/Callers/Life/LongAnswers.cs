using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Shared.Tests.Callers.Life;

/// <summary>
/// A service with endless answers: server-sent events, lines of JSON, a body of known length, a WebSocket, and one that sends no headers.
/// </summary>
internal sealed class LongAnswers : IAsyncDisposable
{
    /// <summary>The piece that ends an answer.</summary>
    public const string Last = "last";

    /// <summary>The kinds of answers that a route leads to.</summary>
    public static readonly string[] Kinds = ["sse", "ndjson", "body", "websocket", "websocket over HTTP/2"];

    private readonly ConcurrentDictionary<Channel<string>, byte> _open = new();
    private readonly TestHost _host;

    private LongAnswers(TestHost host) => _host = host;

    public int Open => _open.Count;

    /// <summary>The settings of a gateway that routes <c>/long/*</c> here and serves HTTP/2 on a separate address.</summary>
    public Dictionary<string, string?> Settings =>
        new()
        {
            ["Kestrel:Endpoints:Http2:Url"] = "http://127.0.0.1:0",
            ["Kestrel:Endpoints:Http2:Protocols"] = "Http2",
            ["Upstreams:long:Address"] = _host.Address.ToString(),
            ["Upstreams:long:Timeout"] = "00:05:00",
            ["Upstreams:long:Retries"] = "0",
            ["ReverseProxy:Routes:long:ClusterId"] = "long",
            ["ReverseProxy:Routes:long:Match:Path"] = "/long/{**rest}",
            ["ReverseProxy:Routes:long:Metadata:Scope"] = "api",
        };

    public static async Task<LongAnswers> Start()
    {
        LongAnswers? service = null;
        return service = new(
            await TestHost.Start(
                _ => { },
                app =>
                {
                    app.UseWebSockets();
                    app.Run(context => service!.Serve(context));
                }
            )
        );
    }

    /// <summary>Sends another piece in every open answer.</summary>
    public void Send(string text)
    {
        foreach (var (channel, _) in _open)
        {
            channel.Writer.TryWrite(text);
        }
    }

    /// <summary>Opens an answer of the given kind through a gateway and reads its first piece.</summary>
    public static async Task<Reader> Read(string kind, IEnumerable<Uri> gateway, (string Name, string Value) credential)
    {
        var (http1, http2) = (gateway.First(), gateway.Last());
        var reader = new Reader();
        if (kind.StartsWith("websocket", StringComparison.Ordinal))
        {
            var is2 = kind.EndsWith('2');
            var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader(credential.Name, credential.Value);
            if (is2)
            {
                (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (
                    HttpVersion.Version20,
                    HttpVersionPolicy.RequestVersionExact
                );
            }

            using var invoker = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
            await socket.ConnectAsync(
                new UriBuilder(is2 ? http2 : http1) { Scheme = "ws", Path = "/long/websocket" }.Uri,
                invoker,
                default
            );
            reader.Follow(
                async buffer =>
                {
                    var received = await socket.ReceiveAsync(buffer, default);
                    return received.MessageType == WebSocketMessageType.Close ? 0 : received.Count;
                },
                socket
            );
        }
        else
        {
            var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(http1, kind.StartsWith('/') ? kind : "/long/" + kind));
            request.Headers.TryAddWithoutValidation(credential.Name, credential.Value);
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var body = await response.Content.ReadAsStreamAsync();
            // The reader disposes of the response, because the client must stay open while it reads.
            reader.Follow(buffer => body.ReadAsync(buffer), response);
        }

        await reader.Until("begun", "ok");
        return reader;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task Serve(HttpContext context)
    {
        var pieces = Channel.CreateUnbounded<string>();
        _open[pieces] = 0;
        try
        {
            var kind = context.Request.Path.Value!.Split('/')[^1];
            if (kind == "websocket")
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await Pump(
                    pieces,
                    text => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, context.RequestAborted),
                    context.RequestAborted
                );
                return;
            }

            if (kind == "silent")
            {
                await pieces.Reader.ReadAsync(context.RequestAborted);
            }

            context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
            context.Response.ContentType = kind switch
            {
                "sse" => "text/event-stream",
                "ndjson" => "application/x-ndjson",
                _ => "application/octet-stream",
            };
            context.Response.ContentLength = kind == "body" ? 1 << 20 : null;
            await Pump(pieces, text => context.Response.WriteAsync(text, context.RequestAborted), context.RequestAborted);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or WebSocketException)
        {
            // The gateway has closed the connection.
        }
        finally
        {
            _open.TryRemove(pieces, out _);
        }
    }

    private static async Task Pump(Channel<string> pieces, Func<string, Task> write, CancellationToken cancellation)
    {
        await write("begun\n");
        await foreach (var text in pieces.Reader.ReadAllAsync(cancellation))
        {
            await write(text + "\n");
            if (text == Last)
            {
                return;
            }
        }
    }

    /// <summary>The text that a client has read so far.</summary>
    internal sealed class Reader : IDisposable
    {
        private readonly StringBuilder _text = new();
        private IDisposable? _connection;

        /// <summary>Completes at the end of the answer: true when the answer was complete, false when it was cut off.</summary>
        public Task<bool> Ended { get; private set; } = Task.FromResult(false);

        public string Text
        {
            get
            {
                lock (_text)
                {
                    return _text.ToString();
                }
            }
        }

        public void Follow(Func<Memory<byte>, ValueTask<int>> read, IDisposable connection)
        {
            _connection = connection;
            Ended = Task.Run(async () =>
            {
                var buffer = new byte[4096];
                try
                {
                    int length;
                    while ((length = await read(buffer)) > 0)
                    {
                        lock (_text)
                        {
                            _text.Append(Encoding.UTF8.GetString(buffer, 0, length));
                        }
                    }

                    return true;
                }
                catch (Exception cut) when (cut is IOException or HttpRequestException or WebSocketException or ObjectDisposedException)
                {
                    return false;
                }
            });
        }

        public async Task Until(params string[] any) =>
            await Eventually.True(() => any.Any(text => Text.Contains(text, StringComparison.Ordinal)));

        public void Dispose() => _connection?.Dispose();
    }
}
