using System.Net;
using System.Net.Sockets;
using System.Text;
using Bff.TestKit;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bff.Shared.Tests.Routes;

/// <summary>
/// Tests services that answer or close the connection before they have the whole request, through a configured route (<c>/any</c>) and
/// through an endpoint of the host (<c>/own</c>). An early answer is the answer, and closing without an answer is the service's failure.
/// </summary>
public sealed class EarlyAnswerTests
{
    private const string Refusal = """{"title":"No"}""";
    private const string Refused =
        "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n" + Refusal;
    private const string Done = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

    /// <summary>
    /// Rows of path, framing with the first piece, each further piece, and whether the service leaves bytes unread, so that closing resets
    /// the connection.
    /// </summary>
    public static TheoryData<string, string, string, bool> Uploads
    {
        get
        {
            var uploads = new TheoryData<string, string, string, bool>();
            foreach (var path in (string[])["/any", "/own"])
            {
                foreach (var resets in (bool[])[true, false])
                {
                    uploads.Add(path, "Content-Length: 1000000\r\n\r\nhello", "world", resets);
                    uploads.Add(path, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "5\r\nworld\r\n", resets);
                }
            }

            return uploads;
        }
    }

    [Theory]
    [MemberData(nameof(Uploads))]
    public async Task An_early_answer_reaches_the_client_and_is_no_failure(string path, string first, string piece, bool resets)
    {
        using var service = new ClosingService(Refused, resets);
        await using var gateway = await Before(service.Address);
        for (var i = 0; i < 3; i++)
        {
            using var client = await Begin(gateway, path, first);
            await service.Closed();

            var answer = await UntilAnswered(client, piece);

            Assert.Equal((413, Refusal), (answer.Status, answer.Text));
        }

        await ServesOthers(gateway, service);
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task A_slow_body_that_the_service_does_not_read_is_no_failure(string path)
    {
        using var service = new ClosingService(Done, resets: false);
        await using var gateway = await Before(service.Address);
        for (var i = 0; i < 3; i++)
        {
            using var client = await Begin(gateway, path, "Content-Length: 10\r\n\r\nhello");
            await service.Closed();
            await client.Send("w");
            await Task.Yield();
            await client.Send("orld");

            Assert.Equal(204, (await client.Answer()).Status);
        }

        await ServesOthers(gateway, service);
    }

    [Theory]
    [InlineData("/any", false)]
    [InlineData("/own", false)]
    [InlineData("/any", true)]
    [InlineData("/own", true)]
    public async Task A_client_that_disconnects_after_the_service_has_answered_is_no_failure(string path, bool ends)
    {
        using var service = new ClosingService(Refused, resets: true);
        await using var gateway = await Before(service.Address);
        for (var i = 0; i < 3; i++)
        {
            using var client = await Begin(gateway, path, "Content-Length: 1000000\r\n\r\nhello");
            await service.Closed();
            if (ends)
            {
                client.End();
            }
            else
            {
                client.Reset();
            }

            await Eventually.True(() => RouteStage.Places(gateway) == 0);
        }

        await ServesOthers(gateway, service);
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task A_buffered_body_that_the_service_refuses_unread_gets_the_services_answer(string path)
    {
        using var service = new ClosingService(Refused, resets: true);
        await using var gateway = await Before(service.Address);
        for (var i = 0; i < 3; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(new byte[16_000_000]) };
            request.Headers.Add("Idempotency-Key", $"k-{i}");
            using var answer = await gateway.Client.SendAsync(request);

            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }

        await ServesOthers(gateway, service);
    }

    /// <summary>The counterpart: not every broken connection is the client's fault.</summary>
    [Theory]
    [MemberData(nameof(Uploads))]
    public async Task A_service_that_hangs_up_without_an_answer_has_failed(string path, string first, string piece, bool resets)
    {
        using var service = new ClosingService("", resets);
        await using var gateway = await Before(service.Address);
        for (var i = 0; i < 2; i++)
        {
            using var client = await Begin(gateway, path, first);
            await service.Closed();

            Assert.Equal(502, (await UntilAnswered(client, piece)).Status);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.Client.GetAsync(path)).StatusCode);
    }

    /// <summary>
    /// Servers that limit the duration of a request close the connection like this. If it counted as a failure, any client could open the
    /// breaker for the others.
    /// </summary>
    [Theory]
    [MemberData(nameof(Uploads))]
    public async Task A_service_that_hangs_up_on_a_slow_client_does_not_count_as_failed(
        string path,
        string first,
        string piece,
        bool resets
    )
    {
        var time = new ManualTimeProvider();
        using var service = new ClosingService("", resets);
        await using var gateway = await RouteStage.Before(
            service.Address,
            Settings().With([new("Upstreams:stub:Timeout", "00:00:10"), new("Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond", "0")]),
            time,
            hasOwn: true
        );
        for (var i = 0; i < 3; i++)
        {
            using var client = await Begin(gateway, path, first);
            await service.Closed();
            await Eventually.True(() => RouteStage.Places(gateway) == 0); // The gateway waits for the client's body.
            time.Advance(TimeSpan.FromSeconds(15));

            Assert.Equal(502, (await UntilAnswered(client, piece)).Status);
        }

        await ServesOthers(gateway, service);
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task An_HTTP2_answer_before_the_end_of_the_body_reaches_the_client(string path)
    {
        await using var stage = await OverHttp2(async context =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (409, "application/json");
            await context.Response.WriteAsync(Refusal);
        });
        for (var i = 0; i < 3; i++)
        {
            using var client = await Begin(stage.Gateway, path, "Content-Length: 1000000\r\n\r\nhello");

            var answer = await UntilAnswered(client, "world");

            Assert.Equal((409, Refusal), (answer.Status, answer.Text));
        }

        Assert.Equal(HttpStatusCode.Conflict, (await stage.Gateway.Client.GetAsync(path)).StatusCode);
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task An_HTTP2_service_that_resets_its_stream_during_the_upload_has_failed(string path)
    {
        await using var stage = await OverHttp2(async context =>
        {
            await context.Request.Body.ReadExactlyAsync(new byte[5]);
            context.Features.Get<IHttpResetFeature>()!.Reset(2); // INTERNAL_ERROR
        });
        for (var i = 0; i < 2; i++)
        {
            using var client = await Begin(stage.Gateway, path, "Content-Length: 10\r\n\r\nhello");

            Assert.Equal(502, (await client.Answer()).Status);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await stage.Gateway.Client.GetAsync(path)).StatusCode);
    }

    private static Task<RouteStage> OverHttp2(RequestDelegate serve) =>
        RouteStage.Start(
            serve,
            _ => Settings().With([new("Upstreams:stub:Http2", "true")]),
            server: builder => builder.WebHost.ConfigureKestrel(k => k.ConfigureEndpointDefaults(e => e.Protocols = HttpProtocols.Http2)),
            hasOwn: true
        );

    /// <summary>Starts a gateway in front of a raw TCP service.</summary>
    private static async Task<TestHost> Before(Uri service) => await RouteStage.Before(service, Settings(), hasOwn: true);

    private static Dictionary<string, string?> Settings() =>
        new()
        {
            ["Plans:free:MaxPayloadBytes"] = "20000000",
            ["Plans:free:RequestsPerMinute"] = "100000",
            ["Plans:free:Burst"] = "100000",
            ["Upstreams:stub:Retries"] = "0",
            ["Upstreams:stub:Timeout"] = "00:00:30",
            ["Upstreams:stub:Breaker:MinimumThroughput"] = "2",
            ["Upstreams:stub:Breaker:FailureRatio"] = "0.01",
            ["Upstreams:stub:Breaker:BreakDuration"] = "01:00:00",
            ["Upstreams:stub:Breaker:SamplingDuration"] = "01:00:00",
            ["ReverseProxy:Routes:any:ClusterId"] = "stub",
            ["ReverseProxy:Routes:any:Match:Path"] = "/any",
            ["ReverseProxy:Routes:any:Metadata:Scope"] = "api",
        };

    private static Task<RawSender> Begin(TestHost gateway, string path, string first) =>
        RawSender.Start(gateway.Address, $"POST {path} HTTP/1.1\r\nHost: gateway\r\n{first}");

    /// <summary>Sends pieces until the answer arrives, far less than the announced length.</summary>
    private static async Task<RawResponse> UntilAnswered(RawSender client, string piece)
    {
        var answer = client.Answer();
        while (!answer.IsCompleted)
        {
            await client.Send(piece);
            await Task.WhenAny(answer, Task.Delay(10));
        }

        return await answer;
    }

    /// <summary>Checks that neither the breaker nor a leftover connection affects other requests.</summary>
    private static async Task ServesOthers(TestHost gateway, ClosingService service)
    {
        (service.Answers, service.TakesBody) = (Done, false);
        foreach (var path in (string[])["/any", "/own", "/any", "/own"])
        {
            using var answer = await gateway.Client.PostAsync(path, null);
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        }
    }

    /// <summary>A service that reads a head, optionally a first piece of the body, sends its answer and closes the connection.</summary>
    private sealed class ClosingService : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly SemaphoreSlim _closed = new(0);
        private readonly bool _resets;

        public ClosingService(string answer, bool resets)
        {
            (Answers, _resets) = (answer, resets);
            _listener.Start();
            _ = Listen();
        }

        public string Answers { get; set; }

        public bool TakesBody { get; set; } = true;

        public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

        public async Task Closed() => Assert.True(await _closed.WaitAsync(TimeSpan.FromSeconds(60)));

        public void Dispose()
        {
            _listener.Dispose();
            _closed.Dispose();
        }

        private async Task Listen()
        {
            try
            {
                while (true)
                {
                    _ = Serve(await _listener.AcceptTcpClientAsync());
                }
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // The test has ended.
            }
        }

        private async Task Serve(TcpClient client)
        {
            using (client)
            {
                var stream = client.GetStream();
                var end = "\r\n\r\n"u8.ToArray();
                var one = new byte[1];
                for (
                    var at = 0;
                    at < end.Length && await stream.ReadAsync(one) > 0;
                    at =
                            one[0] == end[at] ? at + 1
                            : one[0] == '\r' ? 1
                            : 0
                ) { }

                // Waits for a piece of the body, because closing with unread bytes makes the system reset the connection.
                if (TakesBody)
                {
                    while (client.Available == 0)
                    {
                        await Task.Delay(1);
                    }

                    while (!_resets && client.Available > 0)
                    {
                        await stream.ReadExactlyAsync(new byte[client.Available]);
                    }
                }

                await stream.WriteAsync(Encoding.ASCII.GetBytes(Answers));
            }

            _closed.Release();
        }
    }
}
