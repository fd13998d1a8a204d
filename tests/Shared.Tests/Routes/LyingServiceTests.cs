using System.Net;
using System.Net.Sockets;
using System.Text;
using Bff.Callers;
using Bff.Requests;
using Bff.Routes;
using Bff.Shared.Tests.Upstreams;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Routes;

/// <summary>
/// Tests services whose answers are not HTTP or contradict themselves, through a configured route (<c>/any</c>), through an endpoint of the
/// host (<c>/own</c>), and with a typed client (<c>/typed</c>).
/// </summary>
public sealed class LyingServiceTests : IAsyncLifetime, IDisposable
{
    private const string Json = "Content-Type: application/json\r\n";

    private static readonly string[] OfTheBody =
    [
        "Content-Disposition",
        "Content-Language",
        "Content-Location",
        "Content-Range",
        "Content-MD5",
        "Content-Encoding",
        "Repr-Digest",
        "Digest",
        "Expires",
        "Pragma",
        "Age",
        "ETag",
        "Last-Modified",
        "Accept-Ranges",
        "Location",
        "Link",
    ];

    private readonly TcpListener _service = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private byte[] _answer = [];
    private bool _hangsUp;
    private int _calls;
    private string _method = "";
    private TestHost? _gateway;

    /// <summary>
    /// Rows of name, answer, whether the service then closes the connection, status of a relayed answer, and outcome for the typed client.
    /// </summary>
    public static TheoryData<string, string, bool, int, string> Answers
    {
        get
        {
            var rows = new TheoryData<string, string, bool, int, string>();
            void Row(string name, string says, int status, UpstreamOutcome outcome = UpstreamOutcome.Failed, bool hangsUp = true) =>
                rows.Add(name, says, hangsUp, status, outcome.ToString());

            const string Good = "HTTP/1.1 200 OK\r\n" + Json + "Content-Length: 2\r\n\r\n{}";
            Row("a good answer", Good, 200, UpstreamOutcome.Ok, hangsUp: false);
            Row("until it hangs up", "HTTP/1.0 200 OK\r\n" + Json + "\r\n{}", 200, UpstreamOutcome.Ok);
            Row("204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 204);
            Row("204 with no bytes", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, hangsUp: false);
            Row("205 with a body", "HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello", 205);
            Row("205 with no bytes", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", 205, hangsUp: false);
            Row("304 without a condition", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, hangsUp: false);
            Row("101 without an upgrade", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 502);
            Row(
                "an error that is well described",
                $"HTTP/1.1 500 Oops\r\n{string.Concat(OfTheBody.Select(name => name + ": 1\r\n"))}Retry-After: 7\r\nContent-Length: 2\r\n\r\n{{}}",
                502
            );
            Row("status 099", "HTTP/1.1 099 Odd\r\n" + Json + "Content-Length: 2\r\n\r\n{}", 502);
            Row("status 600", "HTTP/1.1 600 Odd\r\n" + Json + "Content-Length: 2\r\n\r\n{}", 502);
            Row("status 999", "HTTP/1.1 999 Odd\r\n" + Json + "Content-Length: 2\r\n\r\n{}", 502);
            Row("status of two digits", "HTTP/1.1 20 OK\r\n" + Json + "Content-Length: 2\r\n\r\n{}", 502);
            Row(
                "interim answers",
                string.Concat(Enumerable.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 300)) + Good,
                200,
                UpstreamOutcome.Ok
            );
            Row("an interim answer alone", "HTTP/1.1 100 Continue\r\n\r\n", 502);
            Row("no HTTP", "SSH-2.0-OpenSSH_9.6\r\n", 502);
            Row("nothing", "", 502);
            Row("half a head", "HTTP/1.1 200 OK\r\nContent-Le", 502);
            Row("a line without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\n{}", 502);
            Row("a head that is too large", $"HTTP/1.1 200 OK\r\nX-A: {new string('a', 40_000)}\r\nContent-Length: 2\r\n\r\n{{}}", 502);
            Row(
                "a control character",
                "HTTP/1.1 200 OK\r\nETag: \"\u0001\"\r\nLast-Modified: \u007f\r\n" + Json + "Content-Length: 2\r\n\r\n{}",
                502,
                UpstreamOutcome.Ok
            );
            Row("NUL", "HTTP/1.1 200 OK\r\nETag: \"\0\"\r\nContent-Length: 2\r\n\r\n{}", 200);
            Row("a bare carriage return", "HTTP/1.1 200 OK\r\nETag: \"a\rSet-Cookie: b=c\"\r\nContent-Length: 2\r\n\r\n{}", 200);
            Row("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 502);
            Row("a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n{}", 502);
            Row("a chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 502);
            Row("an unknown coding of the message", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}", 200);
            Row(
                "another answer behind it",
                Good + "HTTP/1.1 200 OK\r\n" + Json + "Content-Length: 8\r\n\r\n\"poison\"",
                200,
                UpstreamOutcome.Ok,
                hangsUp: false
            );
            return rows;
        }
    }

    public void Dispose()
    {
        _over.Dispose();
        _service.Dispose();
    }

    public async Task InitializeAsync()
    {
        _service.Start();
        _ = Listen();
        _gateway = await TestHost.Start(
            builder =>
            {
                builder.AddBffDefaults();
                builder.Services.AddSingleton<ICallerSource, FixedCaller>();
                builder.AddUpstream<ISample>("stub");
            },
            app =>
            {
                app.UseBffPipeline();
                app.Map("/own", (HttpContext context, PassThrough through, ISample stub) => through.Send(context, stub.Any()))
                    .RequireScope("api");
                app.MapGet("/typed", Read).RequireScope("api");
            },
            new Dictionary<string, string?>
            {
                ["Plans:free:RequestsPerMinute"] = "100000",
                ["Plans:free:Burst"] = "100000",
                ["Upstreams:stub:Address"] = $"http://127.0.0.1:{((IPEndPoint)_service.LocalEndpoint).Port}/",
                ["Upstreams:stub:Retries"] = "0",
                ["Upstreams:stub:Timeout"] = "00:00:30",
                ["Upstreams:stub:Breaker:MinimumThroughput"] = "100000",
                ["ReverseProxy:Routes:any:ClusterId"] = "stub",
                ["ReverseProxy:Routes:any:Match:Path"] = "/{**rest}",
                ["ReverseProxy:Routes:any:Metadata:Scope"] = "api",
            }
        );
    }

    public async Task DisposeAsync()
    {
        await _over.CancelAsync();
        await _gateway!.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task The_client_gets_valid_HTTP_for_any_service_answer(string name, string says, bool hangsUp, int status, string outcome)
    {
        (_answer, _hangsUp) = (Encoding.Latin1.GetBytes(says), hangsUp);
        // Each path is called twice to show that nothing is left for the next request.
        foreach (var path in (string[])["/any", "/own", "/any", "/own"])
        {
            var answer = await Send($"GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n");
            Assert.True(answer.Status == status, $"{path}, {name}: {answer.Status} {answer.Text}");
            Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
            Assert.Null(answer.Header("Set-Cookie"));
            Assert.DoesNotContain("poison", answer.Text, StringComparison.Ordinal);
            if (status == 502)
            {
                Assert.Contains("\"upstream_failed\"", answer.Text, StringComparison.Ordinal);
                Assert.Equal("no-store", answer.Header("Cache-Control"));
                Assert.DoesNotContain(OfTheBody, described => answer.Header(described) is not null);
            }
        }

        Assert.Equal(outcome, (await Send("GET /typed HTTP/1.1\r\nHost: gateway\r\n\r\n")).Text);
        await Eventually.True(() => Places() == 0);
        Assert.DoesNotContain(_gateway!.Log.Entries, e => e.Level >= LogLevel.Error);
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task An_answer_before_the_end_of_the_body_is_relayed_and_frees_its_place(string path)
    {
        const string Refusal = "{\"title\":\"No\"}";
        _answer = Encoding.ASCII.GetBytes($"HTTP/1.1 409 Conflict\r\n{Json}Content-Length: {Refusal.Length}\r\n\r\n{Refusal}");
        using var client = await RawSender.Start(
            _gateway!.Address,
            $"POST {path} HTTP/1.1\r\nHost: gateway\r\n{Json}Content-Length: 10\r\n\r\nhello"
        );
        await Eventually.True(() => Volatile.Read(ref _calls) == 1);

        await client.Send("world");

        var answer = await client.Answer();
        Assert.Equal((409, Refusal), (answer.Status, answer.Text));
        await Eventually.True(() => Places() == 0);
    }

    [Theory]
    [InlineData("/any", "SPDY/3.1")]
    [InlineData("/own", "SPDY/3.1")]
    [InlineData("/any", "h2c")]
    [InlineData("/any", "websocket, SPDY/3.1")]
    public async Task Only_a_WebSocket_becomes_a_tunnel(string path, string protocol)
    {
        _answer = Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n");
        _hangsUp = true;

        var answer = await Send($"GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n");

        Assert.True(answer.Status == 502, $"{answer.Status} {answer.Text}");
    }

    /// <summary>YARP sends every request that asks for a WebSocket as GET.</summary>
    [Theory]
    [InlineData("/any", "POST")]
    [InlineData("/own", "POST")]
    [InlineData("/any", "DELETE")]
    public async Task An_upgrade_request_keeps_its_method(string path, string method)
    {
        _answer = "HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray();

        var answer = await Send(
            $"{method} {path} HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n"
        );

        Assert.Equal((204, method), (answer.Status, _method));
    }

    /// <summary>A service that supports TRACE would answer with the headers that the gateway sent.</summary>
    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task TRACE_is_not_forwarded(string path)
    {
        var answer = await Send($"TRACE {path} HTTP/1.1\r\nHost: gateway\r\n\r\n");

        Assert.Equal((405, 0), (answer.Status, _calls));
        Assert.NotNull(answer.Header("Allow"));
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task CONNECT_is_not_forwarded(string path)
    {
        var answer = await Send($"CONNECT {path} HTTP/1.1\r\nHost: gateway\r\n\r\n");

        Assert.Equal((405, 0), (answer.Status, _calls));
        Assert.NotNull(answer.Header("Allow"));
    }

    [Theory]
    [InlineData("/any", "404 db-7 is gone", "Not Found")]
    [InlineData("/own", "404 db-7 is gone", "Not Found")]
    [InlineData("/any", "999 db-7 is gone", "Bad Gateway")]
    public async Task The_reason_phrase_is_replaced_by_the_standard_one(string path, string says, string words)
    {
        _answer = Encoding.ASCII.GetBytes($"HTTP/1.1 {says}\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno");

        using var answer = await _gateway!.Client.GetAsync(path);

        Assert.Equal(words, answer.ReasonPhrase);
    }

    [Theory]
    [InlineData("/any")]
    [InlineData("/own")]
    public async Task Headers_that_the_service_names_in_Connection_are_not_relayed(string path)
    {
        _answer = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\n{Json}Connection: keep-alive, etag\r\nETag: \"a\"\r\nConnection: Age\r\nAge: 5\r\nVary: Accept\r\nContent-Length: 2\r\n\r\n{{}}"
        );

        var answer = await Send($"GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n");

        Assert.Equal((200, "{}"), (answer.Status, answer.Text));
        Assert.Null(answer.Header("ETag"));
        Assert.Null(answer.Header("Age"));
    }

    [Theory]
    [InlineData("/good?a=b", "/good?a=b")]
    [InlineData("/.//evil.example/x", null)]
    [InlineData("/..//evil.example", null)]
    [InlineData("//evil.example/x", null)]
    [InlineData("/\\evil.example", null)]
    [InlineData("https://evil.example/x", null)]
    [InlineData("javascript:alert(1)", null)]
    public async Task A_redirect_never_leads_to_another_host(string location, string? expected)
    {
        _answer = Encoding.ASCII.GetBytes($"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");

        var answer = await Send("GET /any HTTP/1.1\r\nHost: gateway\r\n\r\n");

        Assert.Equal((302, expected), (answer.Status, answer.Header("Location")));
    }

    private static async Task<string> Read(HttpContext context, ISample stub)
    {
        var answer = await stub.User("u-1").For(BffRequest.Of(context), TimeSpan.FromSeconds(30), context.RequestAborted);
        (context.Response.Headers.ETag, context.Response.Headers.LastModified) = (answer.ETag, answer.LastModified);
        return answer.Outcome.ToString();
    }

    private Task<RawResponse> Send(string request) => RawHttp.Send(_gateway!.Address, request, _gateway.Leaks);

    private long Places()
    {
        var places = 0L;
        using var listener = _gateway!.Services.Listen("bff.upstream.places");
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => places += value);
        listener.Start();
        listener.RecordObservableInstruments();
        return places;
    }

    private async Task Listen()
    {
        try
        {
            while (true)
            {
                _ = Serve(await _service.AcceptTcpClientAsync(_over.Token));
            }
        }
        catch (OperationCanceledException)
        {
            // The test has ended.
        }
    }

    /// <summary>Answers every head at once, regardless of the body.</summary>
    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var (head, buffer) = ("", new byte[64 * 1024]);
                int read;
                while ((read = await stream.ReadAsync(buffer, _over.Token)) > 0)
                {
                    head += Encoding.Latin1.GetString(buffer, 0, read);
                    if (!head.Contains("\r\n\r\n", StringComparison.Ordinal))
                    {
                        continue;
                    }

                    (_method, head) = (head[..head.IndexOf(' ', StringComparison.Ordinal)], "");
                    Interlocked.Increment(ref _calls);
                    await stream.WriteAsync(_answer, _over.Token);
                    if (_hangsUp)
                    {
                        return;
                    }
                }
            }
            catch (Exception gone) when (gone is IOException or OperationCanceledException)
            {
                // The gateway has closed the connection.
            }
        }
    }
}
