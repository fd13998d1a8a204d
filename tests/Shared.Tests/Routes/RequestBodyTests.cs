using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Bff.Edge;
using Bff.Shared.Tests.Upstreams;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Routes;

/// <summary>
/// Tests streamed request bodies through a configured route (<c>/any</c>) and through an endpoint of the host (<c>/own</c>), which have the
/// same rules.
/// </summary>
public sealed class RequestBodyTests : IAsyncLifetime
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);
    private readonly ConcurrentQueue<string> _arrived = new();
    private readonly ManualTimeProvider _time = new();
    private TaskCompletionSource _begun = NewSignal();
    private readonly TaskCompletionSource _ended = NewSignal();
    private TaskCompletionSource _answers = NewSignal();
    private int _failures;
    private RouteStage? _stage;

    public static TheoryData<string> Paths => ["/any", "/own"];

    public async Task InitializeAsync()
    {
        _answers.SetResult();
        _stage = await RouteStage.Start(
            Serve,
            _ =>
                new()
                {
                    ["Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond"] = "0",
                    ["Upstreams:stub:Retries"] = "1",
                    ["Upstreams:stub:Timeout"] = "00:00:10",
                    ["Upstreams:stub:MaxConcurrency"] = "1",
                    ["Upstreams:stub:MaxQueue"] = "0",
                    ["Upstreams:stub:Breaker:MinimumThroughput"] = "2",
                    ["Upstreams:stub:Breaker:FailureRatio"] = "0.01",
                    ["ReverseProxy:Routes:any:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:any:Match:Path"] = "/any",
                    ["ReverseProxy:Routes:any:Metadata:Scope"] = "api",
                    ["ReverseProxy:Routes:large:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:large:Match:Path"] = "/large",
                    ["ReverseProxy:Routes:large:Metadata:Scope"] = "api",
                    ["ReverseProxy:Routes:large:MaxRequestBodySize"] = "5000000",
                    ["ReverseProxy:Routes:endless:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:endless:Match:Path"] = "/endless",
                    ["ReverseProxy:Routes:endless:Metadata:Scope"] = "api",
                    ["ReverseProxy:Routes:endless:MaxRequestBodySize"] = "-1",
                },
            _time,
            server: builder =>
                builder.WebHost.ConfigureKestrel(kestrel =>
                {
                    kestrel.Limits.MaxRequestBodySize = null;
                    kestrel.Limits.MinRequestBodyDataRate = null;
                }),
            hasOwn: true
        );
    }

    public async Task DisposeAsync()
    {
        await _stage!.DisposeAsync();
    }

    [Theory]
    [InlineData("/any", "Content-Length: 10\r\n\r\nhello", "world")]
    [InlineData("/own", "Content-Length: 10\r\n\r\nhello", "world")]
    [InlineData("/any", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "5\r\nworld\r\n0\r\n\r\n")]
    [InlineData("/own", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "5\r\nworld\r\n0\r\n\r\n")]
    public async Task The_service_receives_the_first_byte_before_the_client_has_sent_the_last(string path, string first, string last)
    {
        using var client = await Post(path, first);

        await _begun.Task.WaitAsync(WaitLimit);
        await client.Send(last);

        Assert.Equal(200, (await client.Answer()).Status);
        Assert.Equal(["POST helloworld"], _arrived);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_client_that_is_slow_to_send_holds_no_place_of_the_service(string path)
    {
        using var client = await Post(path, "Content-Length: 10\r\n\r\nhello");
        await _begun.Task.WaitAsync(WaitLimit);

        await Eventually.True(async () => await Status(path) == 200); // The service has only one place.
        await client.Send("world");

        Assert.Equal(200, (await client.Answer()).Status);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_request_holds_its_place_while_the_service_works_on_it(string path)
    {
        _answers = NewSignal();
        using var client = await Post(path, "Content-Length: 10\r\n\r\nhello");
        await _begun.Task.WaitAsync(WaitLimit);
        await client.Send("world");
        await _ended.Task.WaitAsync(WaitLimit);

        Assert.Equal(503, await Status(path));
        _answers.SetResult();

        Assert.Equal(200, (await client.Answer()).Status);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task The_timeout_does_not_run_while_the_gateway_waits_for_the_client(string path)
    {
        using var client = await Post(path, "Content-Length: 10\r\n\r\nhello");
        await _begun.Task.WaitAsync(WaitLimit);
        await Eventually.True(async () => await Status(path) == 200); // By now the gateway waits for the client.
        var before = _time.ActiveTimers;

        _time.Advance(TimeSpan.FromSeconds(25)); // Longer than the service's timeout.
        await client.Send("world");

        Assert.Equal(200, (await client.Answer()).Status);
        Assert.True(before > 0);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task The_timeout_runs_once_the_service_has_the_whole_body(string path)
    {
        _answers = NewSignal();
        using var client = await Post(path, "Content-Length: 5\r\n\r\nhello");
        await _ended.Task.WaitAsync(WaitLimit);

        var answer = client.Answer();
        while (!answer.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            await Task.Yield();
        }

        Assert.Equal(504, (await answer).Status);
        _answers.SetResult();
    }

    [Theory]
    [InlineData("/any", "")]
    [InlineData("/own", "")]
    [InlineData("/any", "Idempotency-Key: k\r\n")]
    [InlineData("/own", "Idempotency-Key: k\r\n")]
    public async Task A_client_that_stops_sending_gets_408_and_does_not_open_the_breaker(string path, string key)
    {
        for (var i = 0; i < 4; i++)
        {
            _begun = NewSignal();
            using var client = await Post(path, key + "Content-Length: 10\r\n\r\nhello");
            var answer = client.Answer();
            if (key.Length == 0)
            {
                await _begun.Task.WaitAsync(WaitLimit);
                await Eventually.True(async () => await Status(path) == 200); // By now the gateway waits for the client.
            }

            while (!answer.IsCompleted)
            {
                _time.Advance(RequestBody.IdleTimeout);
                await Task.Yield();
            }

            Assert.Equal(408, (await answer).Status);
            Assert.Contains("request_timeout", (await answer).Text, StringComparison.Ordinal);
        }

        Assert.Equal(200, await Status(path)); // Two failures would have opened the breaker.
    }

    [Theory]
    [InlineData("/any", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "zz\r\n", 400)]
    [InlineData("/own", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "zz\r\n", 400)]
    [InlineData("/any", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "100000\r\n", 413)]
    [InlineData("/own", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "100000\r\n", 413)]
    [InlineData("/any", "Content-Length: 10\r\n\r\nhello", null, 400)]
    [InlineData("/own", "Content-Length: 10\r\n\r\nhello", null, 400)]
    [InlineData("/any", "Idempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "zz\r\n", 400)]
    [InlineData("/own", "Idempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "100000\r\n", 413)]
    public async Task An_invalid_body_is_a_client_error_and_does_not_open_the_breaker(string path, string first, string? then, int status)
    {
        for (var i = 0; i < 4; i++)
        {
            _begun = NewSignal();
            using var client = await Post(path, first);
            if (!first.Contains("Idempotency-Key", StringComparison.Ordinal))
            {
                await _begun.Task.WaitAsync(WaitLimit);
            }

            if (then is null)
            {
                client.End();
            }
            else
            {
                await client.Send(then.Contains("100000", StringComparison.Ordinal) ? then + new string('a', 0x100000) + "\r\n" : then);
            }

            var answer = await client.Answer();
            Assert.True(answer.Status == status || (then is null && answer.Status == 0), $"{answer.Status}: {answer.Text}");
            await Eventually.True(async () => await Status(path) == 200); // The only place is free again.
        }

        Assert.Equal(200, await Status(path));
        Assert.All(_arrived, a => Assert.Equal("GET ", a));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_reset_client_connection_does_not_open_the_breaker(string path)
    {
        for (var i = 0; i < 4; i++)
        {
            _begun = NewSignal();
            using var client = await Post(path, "Content-Length: 10\r\n\r\nhello");
            await _begun.Task.WaitAsync(WaitLimit);
            client.Reset();
            await Eventually.True(async () => await Status(path) == 200); // The only place is free again.
        }

        Assert.Equal(200, await Status(path));
    }

    [Fact]
    public async Task A_keyed_body_is_buffered_can_be_sent_again_and_is_deleted_afterwards()
    {
        _failures = 1;
        // 2.4 MB are buffered in memory first, then in a file.
        var body = string.Concat(Enumerable.Range(0, 300_000).Select(i => i.ToString("0000000\n", null)));
        using var client = await Post("/large", $"Idempotency-Key: k\r\nContent-Length: {body.Length}\r\n\r\n{body[..2_000_000]}");
        Assert.Empty(_arrived);

        await client.Send(body[2_000_000..]);

        Assert.Equal(200, (await Advancing(client.Answer())).Status);
        Assert.Equal(["POST " + body, "POST " + body], _arrived);
        Assert.Empty(Directory.GetFiles(Path.GetTempPath(), "bff-body-*"));
    }

    [Theory]
    [InlineData("/any", 1_048_577, 413)]
    [InlineData("/large", 4_000_000, 200)]
    [InlineData("/large", 5_000_001, 413)]
    [InlineData("/endless", 40_000_000, 200)]
    public async Task A_route_sets_its_maximum_body_size(string path, int length, int status)
    {
        foreach (var isChunked in (bool[])[false, true])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(new byte[length]) };
            request.Headers.TransferEncodingChunked = isChunked;
            try
            {
                using var answer = await _stage!.Gateway.Client.SendAsync(request);
                Assert.Equal(status, (int)answer.StatusCode);
            }
            catch (HttpRequestException) when (status == 413)
            {
                // The connection was closed while the client still sent. The client gets no status then, and the service no request.
            }
        }

        if (status == 413)
        {
            Assert.Empty(_arrived);
        }
    }

    [Fact]
    public async Task A_buffered_body_is_limited_by_the_plan_on_a_route_without_a_limit()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/endless") { Content = new ByteArrayContent(new byte[2_000_000]) };
        request.Headers.Add("Idempotency-Key", "k");
        try
        {
            using var answer = await _stage!.Gateway.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }
        catch (HttpRequestException)
        {
            // The connection was closed while the client still sent.
        }

        Assert.Empty(_arrived);
    }

    [Fact]
    public async Task A_slow_upload_does_not_take_the_probe_of_a_half_open_breaker()
    {
        _failures = 2;
        Assert.Equal(502, await Advancing(Status("/any"))); // The call and its retry fail, which opens the breaker.
        Assert.Equal(503, await Status("/any"));
        _time.Advance(TimeSpan.FromSeconds(6));

        using var slow = await Post("/any", "Content-Length: 10\r\n\r\nhello");
        await Eventually.True(async () => await Status("/any") == 200); // The slow upload has not taken the breaker's probe.
        await Eventually.True(() => RouteStage.Places(_stage!.Gateway) == 0);
        await slow.Send("world");

        Assert.Equal(200, (await slow.Answer()).Status);
    }

    [Theory]
    [InlineData("/any", "Content-Length: 1048577\r\n", 413)]
    [InlineData("/own", "Content-Length: 1048577\r\n", 413)]
    [InlineData("/nowhere", "Content-Length: 5\r\n", 404)]
    [InlineData("/any", "X-Nobody: 1\r\nContent-Length: 5\r\n", 401)]
    [InlineData("/own", "X-Nobody: 1\r\nContent-Length: 5\r\n", 401)]
    public async Task A_refused_upload_is_refused_before_its_body_is_sent(string path, string head, int status)
    {
        using var client = await Post(path, $"Expect: 100-continue\r\n{head}\r\n");

        Assert.StartsWith($"HTTP/1.1 {status}", await client.Line(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/any", "")]
    [InlineData("/own", "")]
    [InlineData("/any", "Idempotency-Key: k\r\n")]
    public async Task An_accepted_upload_gets_100_Continue(string path, string key)
    {
        using var client = await Post(path, $"Expect: 100-continue\r\n{key}Content-Length: 5\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100", await client.Line(), StringComparison.Ordinal);

        await client.Send("hello");

        Assert.Equal("", await client.Line());
        Assert.Equal(200, (await client.Answer()).Status);
    }

    /// <summary>Advances the clock until the answer arrives, so that the retry delay passes.</summary>
    private async Task<T> Advancing<T>(Task<T> answer)
    {
        while (!answer.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Delay(1);
        }

        return await answer;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task<RawSender> Post(string path, string rest) =>
        RawSender.Start(_stage!.Gateway.Address, $"POST {path} HTTP/1.1\r\nHost: gateway\r\n{rest}");

    private async Task<int> Status(string path)
    {
        using var answer = await _stage!.Gateway.Client.GetAsync(path);
        return (int)answer.StatusCode;
    }

    private async Task Serve(HttpContext context)
    {
        var body = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
        {
            _begun.TrySetResult();
            body.Write(buffer, 0, read);
        }

        _arrived.Enqueue(context.Request.Method + " " + Encoding.ASCII.GetString(body.ToArray()));
        if (HttpMethods.IsPost(context.Request.Method))
        {
            _ended.TrySetResult();
            await _answers.Task;
        }

        if (Interlocked.Decrement(ref _failures) >= 0)
        {
            context.Response.StatusCode = 500;
        }
    }
}
