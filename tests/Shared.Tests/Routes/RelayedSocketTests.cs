using System.Net;
using System.Net.WebSockets;
using System.Text;
using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Routes;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Routes;

/// <summary>Tests the lifetime and the end of WebSockets through a route, over HTTP/1.1 and HTTP/2.</summary>
public sealed class RelayedSocketTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);
    private readonly ManualTimeProvider _time = new();
    private readonly SemaphoreSlim _goOn = new(0);
    private TestHost? _service;
    private TestHost? _gateway;

    public static TheoryData<int> Versions => [1, 2];

    public void Dispose() => _goOn.Dispose();

    public async Task InitializeAsync()
    {
        _service = await TestHost.Start(
            _ => { },
            app =>
            {
                app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
                app.Run(Serve);
            }
        );
        _gateway = await TestHost.Start(
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(_time);
                builder.AddBffDefaults();
                builder.Services.AddSingleton<ICallerSource>(new GrpcBench.ManualCaller());
            },
            app => app.UseBffPipeline(),
            new Dictionary<string, string?>
            {
                ["Kestrel:Endpoints:Http2:Url"] = "http://127.0.0.1:0",
                ["Kestrel:Endpoints:Http2:Protocols"] = "Http2",
                ["Upstreams:talk:Address"] = _service.Address.ToString(),
                ["Upstreams:talk:Timeout"] = "00:05:00",
                ["ReverseProxy:Routes:talk:ClusterId"] = "talk",
                ["ReverseProxy:Routes:talk:Match:Path"] = "/talk",
                ["ReverseProxy:Routes:talk:Metadata:Scope"] = "api",
            }
        );
    }

    public async Task DisposeAsync()
    {
        _goOn.Release(100);
        await _gateway!.DisposeAsync();
        await _service!.DisposeAsync();
    }

    /// <summary>No service was asked, so none has failed.</summary>
    [Theory]
    [InlineData("connect-udp")]
    [InlineData("WebSocket")]
    public async Task A_tunnel_of_another_protocol_is_refused_over_HTTP2(string protocol)
    {
        using var client = new HttpMessageInvoker(new LeakSentinelHandler(_gateway!.Leaks, new SocketsHttpHandler { UseProxy = false }));
        using var request = new HttpRequestMessage(HttpMethod.Connect, new UriBuilder(Addresses()[^1]) { Path = "/talk" }.Uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Protocol = protocol;

        using var answer = await client.SendAsync(request, default).WaitAsync(WaitLimit);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task An_idle_socket_is_closed_after_an_hour_and_not_before(int version)
    {
        using var socket = await Connect(version);
        await Send(socket, "hello");
        Assert.Equal((WebSocketMessageType.Text, "hello"), await Receive(socket));
        var next = Receive(socket);

        for (var i = 0; i < 119; i++)
        {
            _time.Advance(RelayedSocket.PingEvery); // The client answers each ping, which does not count as activity.
        }

        Assert.False(next.IsCompleted);
        await Send(socket, "again");
        Assert.Equal((WebSocketMessageType.Text, "again"), await next);
        next = Receive(socket);
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.False(next.IsCompleted);
        await Eventually.True(() =>
        {
            _time.Advance(RelayedSocket.PingEvery);
            return next.IsCompleted;
        });

        Assert.Equal(WebSocketMessageType.Close, (await next).Type);
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, socket.CloseStatus);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task A_draining_host_lets_the_message_end_and_closes_the_socket_with_1001(int version)
    {
        using var socket = await Connect(version);
        await Send(socket, "in halves");
        var first = new byte[4];
        await socket.ReceiveAsync(first.AsMemory(), default).AsTask().WaitAsync(WaitLimit);

        var stopping = _gateway!.App.StopAsync();
        await Eventually.True(() => _gateway.Services.GetRequiredService<Bff.Life.HostLife>().Draining.IsCancellationRequested);
        _goOn.Release();

        Assert.Equal("half", Encoding.ASCII.GetString(first));
        Assert.Equal((WebSocketMessageType.Text, "half"), await Receive(socket));
        Assert.Equal(WebSocketMessageType.Close, (await Receive(socket)).Type);
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, socket.CloseStatus);
        await socket.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, null, default).WaitAsync(WaitLimit);
        await stopping.WaitAsync(WaitLimit);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task Either_side_may_close_a_socket_with_its_own_status(int version)
    {
        using var one = await Connect(version);
        await Send(one, "close");
        Assert.Equal(WebSocketMessageType.Close, (await Receive(one)).Type);
        Assert.Equal(((WebSocketCloseStatus)4001, "told to"), (one.CloseStatus, one.CloseStatusDescription));

        using var two = await Connect(version);
        await two.CloseAsync((WebSocketCloseStatus)4002, "enough", default).WaitAsync(WaitLimit);
        Assert.Equal((WebSocketState.Closed, (WebSocketCloseStatus)4002), (two.State, two.CloseStatus));
    }

    [Fact]
    public async Task A_ping_is_sent_only_between_frames()
    {
        var client = new MemoryStream();
        await using var relayed = new RelayedSocket(client, TimeSpan.FromHours(1), _time, () => { }, default);
        byte[] message = [0x82, 4, 1, 2, 3, 4];
        await relayed.WriteAsync(message.AsMemory(0, 3));
        _time.Advance(RelayedSocket.PingEvery); // A ping is due, but it may not be sent within a frame.
        Assert.Equal(message[..3], client.ToArray());
        await relayed.WriteAsync(message.AsMemory(3));
        _time.Advance(RelayedSocket.PingEvery);
        Assert.Equal(message, client.ToArray()); // The socket was active since the last ping was due.
        _time.Advance(RelayedSocket.PingEvery);
        Assert.Equal([.. message, 0x89, 8, .. SocketFrames.Mark], client.ToArray());
    }

    [Fact]
    public void Frames_are_recognized_in_pieces_of_any_size()
    {
        var random = new Random(4711);
        for (var round = 0; round < 200; round++)
        {
            var (stream, ends, frames) = (new MemoryStream(), new HashSet<long>(), 0);
            for (var i = 0; i < 20; i++)
            {
                WriteFrame(stream, random);
                ends.Add(stream.Length);
                frames++;
            }

            var followed = new SocketFrames();
            var bytes = stream.ToArray();
            for (var at = 0; at < bytes.Length; )
            {
                var length = Math.Min(bytes.Length - at, random.Next(1, random.Next(2) == 0 ? 4 : 5000));
                followed.Take(bytes.AsSpan(at, length));
                at += length;
                Assert.Equal(ends.Contains(at), followed.IsBetweenFrames);
            }

            Assert.Equal(frames, followed.Count);
        }
    }

    private static void WriteFrame(MemoryStream stream, Random random)
    {
        var kind = random.Next(4) switch
        {
            0 => 9,
            1 => 10,
            _ => 2,
        };
        var length =
            kind >= 8
                ? random.Next(126)
                : random.Next(3) switch
                {
                    0 => random.Next(126),
                    1 => random.Next(126, 65536),
                    _ => random.Next(65536, 70000),
                };
        var masked = random.Next(2) == 1;
        stream.WriteByte((byte)(0x80 | kind));
        stream.WriteByte(
            (byte)(
                (masked ? 0x80 : 0)
                | (
                    length < 126 ? length
                    : length < 65536 ? 126
                    : 127
                )
            )
        );
        Span<byte> wide = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(wide, length);
        stream.Write(
            length < 126 ? []
            : length < 65536 ? wide[6..]
            : wide
        );
        stream.Write(new byte[masked ? 4 : 0]);
        stream.Write(new byte[length]);
    }

    private List<Uri> Addresses() =>
        _gateway!
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.Select(a => new Uri(a))
            .ToList();

    private async Task<ClientWebSocket> Connect(int version)
    {
        var addresses = Addresses();
        var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        if (version == 2)
        {
            (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        }

        var invoker = new HttpMessageInvoker(new LeakSentinelHandler(_gateway!.Leaks, new SocketsHttpHandler { UseProxy = false }));
        await socket
            .ConnectAsync(
                new UriBuilder(version == 2 ? addresses[^1] : addresses[0]) { Scheme = "ws", Path = "/talk" }.Uri,
                invoker,
                default
            )
            .WaitAsync(WaitLimit);
        return socket;
    }

    private static Task Send(ClientWebSocket socket, string text) =>
        socket.SendAsync(Encoding.ASCII.GetBytes(text), WebSocketMessageType.Text, true, default).WaitAsync(WaitLimit);

    private static async Task<(WebSocketMessageType Type, string Text)> Receive(ClientWebSocket socket)
    {
        var buffer = new byte[1000];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), default).AsTask().WaitAsync(WaitLimit);
        return (received.MessageType, Encoding.ASCII.GetString(buffer, 0, received.Count));
    }

    private async Task Serve(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[1000];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
            switch (received.MessageType == WebSocketMessageType.Close ? "" : Encoding.ASCII.GetString(buffer, 0, received.Count))
            {
                case "":
                    await socket.CloseOutputAsync(
                        socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure,
                        socket.CloseStatusDescription,
                        context.RequestAborted
                    );
                    return;
                case "in halves":
                    await socket.SendAsync("half"u8.ToArray(), WebSocketMessageType.Text, false, context.RequestAborted);
                    await _goOn.WaitAsync(context.RequestAborted);
                    await socket.SendAsync("half"u8.ToArray(), WebSocketMessageType.Text, true, context.RequestAborted);
                    break;
                case "close":
                    await socket.CloseAsync((WebSocketCloseStatus)4001, "told to", context.RequestAborted);
                    return;
                default:
                    await socket.SendAsync(buffer.AsMemory(0, received.Count), WebSocketMessageType.Text, true, context.RequestAborted);
                    break;
            }
        }
    }
}
