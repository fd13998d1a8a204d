using System.Net.WebSockets;
using System.Text;

namespace WebBff.Tests.Streams;

public sealed class WebSocketTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public async Task Notifications_arrive_over_the_gateway_until_the_session_ends()
    {
        var host = Start();
        var browser = await SignedIn(host);
        using var socket = await Connect(host, browser, Origin(host));

        Assert.Contains("\"id\":\"n-1001-", await Receive(socket), StringComparison.Ordinal);
        Upstream.Notifications.Push("u-1001", "price.drop", "Now", "cheaper");
        Assert.Contains("price.drop", await Receive(socket), StringComparison.Ordinal);

        using var signedOut = await browser.Send(HttpMethod.Get, (string)(await browser.User())["logoutUrl"]!);
        await Assert.ThrowsAnyAsync<WebSocketException>(() => Receive(socket));
    }

    [Fact]
    public async Task The_service_behind_a_socket_gets_the_sessions_token_if_configured()
    {
        var host = Start(new() { ["Upstreams:notifications:ForwardAuthorization"] = "true" });
        using var socket = await Connect(host, await SignedIn(host), Origin(host));

        await Receive(socket);

        Assert.Matches("^Bearer " + Token, Assert.Single(Upstream.Notifications.Calls.All).Header("Authorization"));
    }

    [Fact]
    public async Task A_page_of_another_site_opens_no_socket()
    {
        var host = Start();
        var browser = await SignedIn(host);
        var (own, port) = (Origin(host), host.Address.Port);
        string?[] foreign =
        [
            null,
            "",
            "null",
            "https://evil.example",
            $"http://evil.example:{port}",
            own + ".evil.example",
            own + "0",
            $"http://evil-127.0.0.1:{port}",
            "http://127.0.0.1",
            $"http://127.0.0.1:{port - 1}",
            $"https://127.0.0.1:{port}",
            $"ws://127.0.0.1:{port}",
            $"{own}@evil.example",
            $"http://user@127.0.0.1:{port}",
            own + "/",
            own + "/..",
            $"http://localhost:{port}",
            $"{own} https://evil.example",
            $"{own},https://evil.example",
            $"https://evil.example,{own}",
            $"https://evil.example#{own}",
            "file://",
        ];
        foreach (var origin in foreign)
        {
            var refused = await Assert.ThrowsAsync<WebSocketException>(() => Connect(host, browser, origin));
            Assert.True(refused.Message.Contains("403", StringComparison.Ordinal), $"'{origin}': {refused.Message}");
        }

        Assert.Equal(0, Upstream.Notifications.Calls.Count);
    }

    [Fact]
    public async Task A_socket_is_refused_without_a_session()
    {
        var host = Start();
        var refused = await Assert.ThrowsAsync<WebSocketException>(() => Connect(host, NewBrowser(host), Origin(host)));
        Assert.Contains("401", refused.Message, StringComparison.Ordinal);
    }

    private static string Origin(WebHost host) => host.Address.GetLeftPart(UriPartial.Authority);

    private static async Task<ClientWebSocket> Connect(WebHost host, Browser browser, string? origin)
    {
        var socket = new ClientWebSocket();
        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin);
        }

        using var timeLimit = new CancellationTokenSource(WaitLimit);
        using var watched = new HttpMessageInvoker(new LeakSentinelHandler(host.Leaks, browser.NewHandler()));
        await socket.ConnectAsync(
            new UriBuilder(host.Address) { Scheme = "ws", Path = "/api/ws/notifications" }.Uri,
            watched,
            timeLimit.Token
        );
        return socket;
    }

    private static async Task<string> Receive(ClientWebSocket socket)
    {
        using var timeLimit = new CancellationTokenSource(WaitLimit);
        var buffer = new byte[16 * 1024];
        for (var length = 0; ; )
        {
            var result = await socket.ReceiveAsync(buffer.AsMemory(length), timeLimit.Token);
            length += result.Count;
            if (result.MessageType == WebSocketMessageType.Close)
            {
                throw new WebSocketException("closed");
            }

            if (result.EndOfMessage)
            {
                return Encoding.UTF8.GetString(buffer, 0, length);
            }
        }
    }
}
