using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using Bff.Shared.Tests.Edge;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Routes;

/// <summary>Tests a pass-through route between a raw client and a service that records its requests.</summary>
public sealed class RouteEdgeTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<Arrived> _arrived = new();
    private readonly ManualTimeProvider _time = new();
    private RouteStage? _stage;

    public async Task InitializeAsync()
    {
        _stage = await RouteStage.Start(
            Serve,
            _ =>
                new()
                {
                    ["Upstreams:stub:Retries"] = "0",
                    ["Upstreams:stub:Timeout"] = "00:00:10",
                    ["Headers:Forward:0"] = "X-Custom",
                    ["ReverseProxy:Routes:any:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:any:Match:Path"] = "/any/{**rest}",
                    ["ReverseProxy:Routes:any:Metadata:Scope"] = "api",
                },
            _time
        );
    }

    public async Task DisposeAsync()
    {
        await _stage!.DisposeAsync();
    }

    [Fact]
    public async Task The_service_receives_the_canonical_path_or_no_request()
    {
        foreach (var row in RequestTable.Rows)
        {
            if (row is not [string name, string request, int status, _, var reached] || !name.StartsWith("/any", StringComparison.Ordinal))
            {
                continue;
            }

            _arrived.Clear();

            var answer = await RawHttp.Send(_stage!.Gateway.Address, request, _stage!.Gateway.Leaks);

            Assert.True(status == answer.Status, $"{name}: {answer.Status} {answer.Text}");
            Assert.Equal(reached is null ? [] : [(string)reached], _arrived.Select(a => $"{a.Method} {a.Target}"));
        }
    }

    [Theory]
    [InlineData("/any/caf%c3%a9", "/any/caf%C3%A9")]
    [InlineData("/any/%41%2e", "/any/A.")]
    [InlineData("/any/100%25", "/any/100%25")]
    [InlineData("/any/a%20b?q=%2f..%2f&r=;", "/any/a%20b?q=%2f..%2f&r=;")]
    [InlineData("/any/a%3fb%23c", "/any/a%3Fb%23c")]
    public async Task A_path_is_forwarded_in_its_canonical_spelling(string sent, string target)
    {
        Assert.Equal(200, (await Get(sent)).Status);

        Assert.Equal(target, Assert.Single(_arrived).Target);
    }

    [Fact]
    public async Task Only_allowed_request_headers_are_forwarded()
    {
        await Get(
            "/any/x",
            """
            Accept: application/json
            Accept-Language: de
            Range: bytes=0-1
            User-Agent: test
            Idempotency-Key: k
            Last-Event-ID: 41
            If-None-Match: "a"
            X-Custom: mine
            X-Other: no
            X-Original-URL: /admin
            X-Rewrite-URL: /admin
            X-HTTP-Method-Override: DELETE
            X-Real-IP: 1.2.3.4
            X-Forwarded-For: 1.2.3.4
            X-Forwarded-Host: evil
            X-Forwarded-Proto: https
            X-Forwarded-Prefix: /evil
            Forwarded: for=1.2.3.4
            Proxy: http://evil
            Cookie: session=1
            Authorization: Bearer abc
            X-API-Key: key
            X-User-Id: admin
            X_User_Id: admin
            x-tenant-id: other
            X-Identity-Token: forged
            TE: trailers
            tracestate: a=b
            baggage: a=b
            X-Request-Id: r-1

            """.ReplaceLineEndings("\r\n")
        );

        var headers = Assert.Single(_arrived).Headers;
        foreach (
            var (name, value) in new[]
            {
                ("Accept", "application/json"),
                ("Accept-Language", "de"),
                ("Range", "bytes=0-1"),
                ("User-Agent", "test"),
                ("Idempotency-Key", "k"),
                ("Last-Event-ID", "41"),
                ("If-None-Match", "\"a\""),
                ("X-Custom", "mine"),
                ("X-Request-Id", "r-1"),
                ("X-Correlation-Id", "r-1"),
                ("X-User-Id", "u-1"),
                ("X-OAuth-Scopes", "api"),
                ("X-Forwarded-For", "127.0.0.1"),
                ("X-Forwarded-Proto", "http"),
                ("X-Forwarded-Host", "gateway"),
            }
        )
        {
            Assert.True(headers.TryGetValue(name, out var arrived), name);
            Assert.Equal((name, value), (name, arrived));
        }

        Assert.Empty(
            headers.Keys.Except(
                [
                    "Accept",
                    "Accept-Language",
                    "Range",
                    "User-Agent",
                    "Idempotency-Key",
                    "Last-Event-ID",
                    "If-None-Match",
                    "X-Custom",
                    "X-Request-Id",
                    "X-Correlation-Id",
                    "X-User-Id",
                    "X-OAuth-Scopes",
                    "X-Forwarded-For",
                    "X-Forwarded-Proto",
                    "X-Forwarded-Host",
                    "Host",
                    "traceparent",
                    "tracestate",
                    "baggage",
                ],
                StringComparer.OrdinalIgnoreCase
            )
        );
        Assert.Equal(_stage!.Service.Address.Authority, headers["Host"]);
    }

    [Fact]
    public async Task Headers_named_in_Connection_are_not_forwarded_except_the_gateways_own()
    {
        await Get(
            "/any/x",
            "X-Custom: mine\r\nIdempotency-Key: k\r\nX-Request-Id: r-1\r\nConnection: x-custom, Idempotency-Key, X-User-Id, X-Request-Id, traceparent\r\n"
        );

        var headers = Assert.Single(_arrived).Headers;
        Assert.False(headers.ContainsKey("X-Custom"));
        Assert.False(headers.ContainsKey("Idempotency-Key"));
        Assert.Equal("u-1", headers["X-User-Id"]);
        Assert.Equal("r-1", headers["X-Request-Id"]);
        Assert.True(headers.ContainsKey("traceparent"));
    }

    [Fact]
    public async Task The_trace_context_is_forwarded_to_the_service()
    {
        await Get("/any/x", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\n");

        var headers = Assert.Single(_arrived).Headers;
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", headers["traceparent"], StringComparison.Ordinal);
        // The gateway records no spans, so it keeps the client's sampling decision.
        Assert.EndsWith("-01", headers["traceparent"], StringComparison.Ordinal);
        Assert.DoesNotContain("b7ad6b7169203331", headers["traceparent"], StringComparison.Ordinal);
        Assert.Equal("a=b", headers["tracestate"]);
    }

    [Fact]
    public async Task A_service_cannot_override_the_gateways_security_headers()
    {
        var answer = await Get("/any/loose");

        Assert.Equal(200, answer.Status);
        Assert.Equal("DENY", answer.Header("X-Frame-Options"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", answer.Header("Content-Security-Policy"));
        Assert.Equal("private, max-age=5", answer.Header("Cache-Control"));
        Assert.Null(answer.Header("Server"));
        Assert.Null(answer.Header("X-Powered-By"));
        Assert.Null(answer.Header("Set-Cookie"));
        Assert.DoesNotContain(_stage!.Service.Address.Authority, answer.Header("Location") ?? "", StringComparison.Ordinal);
        Assert.DoesNotContain("another", answer.Header("X-Request-Id"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chunked and too large", "Transfer-Encoding: chunked\r\n\r\n100001\r\n", 0x100001, "\r\n0\r\n\r\n", 413)]
    [InlineData("announced and too large", "Content-Length: 1048577\r\n\r\n", 0, "", 413)]
    [InlineData("badly chunked", "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 0, "", 400)]
    [InlineData("of two lengths", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 0, "", 400)]
    public async Task A_body_that_the_edge_refuses_reaches_no_service_and_does_not_open_the_breaker(
        string name,
        string head,
        int filler,
        string tail,
        int status
    )
    {
        for (var i = 0; i < 12; i++)
        {
            var refused = await RawHttp.Send(
                _stage!.Gateway.Address,
                $"POST /any/x HTTP/1.1\r\nHost: gateway\r\n{head}{new string('a', filler)}{tail}",
                _stage!.Gateway.Leaks
            );
            Assert.True(status == refused.Status, $"{name}: {refused.Status} {refused.Text}");
        }

        Assert.Empty(_arrived);
        Assert.Equal(200, (await Get("/any/x")).Status); // The refused bodies have not opened the breaker.
    }

    [Fact]
    public async Task A_client_that_disconnects_during_its_body_does_not_open_the_breaker()
    {
        for (var i = 0; i < 12; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(_stage!.Gateway.Address.Host, _stage!.Gateway.Address.Port);
            await client.GetStream().WriteAsync("POST /any/x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\nabc"u8.ToArray());
        }

        Assert.Equal(200, (await Get("/any/x")).Status);
        Assert.Equal("GET", Assert.Single(_arrived).Method);
    }

    [Fact]
    public async Task A_client_slower_than_the_services_timeout_is_served()
    {
        var forSenders = TimeSpan.FromSeconds(30);
        var idle = _time.DueIn(forSenders);
        using var client = new TcpClient();
        await client.ConnectAsync(_stage!.Gateway.Address.Host, _stage!.Gateway.Address.Port);
        await client.GetStream().WriteAsync("POST /any/x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 5\r\n\r\nhel"u8.ToArray());
        await Eventually.True(() => _time.DueIn(forSenders) > idle); // The gateway waits for the client, so the timeout does not run.

        _time.Advance(TimeSpan.FromSeconds(29)); // Longer than the upstream's timeout, shorter than the edge's limit.
        await client.GetStream().WriteAsync("lo"u8.ToArray());
        var status = new byte[12];
        await client.GetStream().ReadExactlyAsync(status);

        Assert.Equal("HTTP/1.1 200", Encoding.ASCII.GetString(status));
        Assert.Equal("hello", Assert.Single(_arrived).Body);
    }

    [Fact]
    public async Task Bodies_are_forwarded_completely()
    {
        var answer = await RawHttp.Send(
            _stage!.Gateway.Address,
            "POST /any/x HTTP/1.1\r\nHost: gateway\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
            _stage!.Gateway.Leaks
        );
        Assert.Equal(200, answer.Status);
        var chunked = await RawHttp.Send(
            _stage!.Gateway.Address,
            "PUT /any/x HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            _stage!.Gateway.Leaks
        );
        Assert.Equal(200, chunked.Status);

        Assert.Equal(["hello", "abcde"], _arrived.Select(a => a.Body));
        Assert.Equal("text/plain", _arrived.First().Headers["Content-Type"]);
    }

    [Fact]
    public async Task The_answer_to_a_keyed_write_keeps_the_services_content_headers()
    {
        var answer = await RawHttp.Send(
            _stage!.Gateway.Address,
            "POST /any/coded HTTP/1.1\r\nHost: gateway\r\nIdempotency-Key: k-1\r\nAccept-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            _stage!.Gateway.Leaks
        );

        // A client with other accepted codings may repeat the write.
        Assert.False(Assert.Single(_arrived).Headers.ContainsKey("Accept-Encoding"));
        Assert.Equal(201, answer.Status);
        Assert.Equal("application/vnd.order+json; v=2", answer.Header("Content-Type"));
        Assert.Equal("gzip", answer.Header("Content-Encoding"));
        Assert.Equal("de", answer.Header("Content-Language"));
        Assert.Equal("""{"id":"o-1"}""", Encoding.UTF8.GetString(CompressionTests.Decompress(answer.Body, "gzip")));
    }

    [Theory]
    [InlineData("br", "br")]
    [InlineData("", null)]
    public async Task A_services_large_json_is_compressed_by_the_gateway(string accepted, string? coding)
    {
        var answer = await Get("/any/large", accepted.Length > 0 ? $"Accept-Encoding: {accepted}\r\n" : "");

        Assert.Equal(coding, answer.Header("Content-Encoding"));
        Assert.Equal(coding is null ? "\"s\"" : "W/\"s\"", answer.Header("ETag"));
        Assert.All(
            ["Content-Digest", "Repr-Digest", "Digest", "Content-MD5"],
            name => Assert.Equal(coding is null ? "of-it" : null, answer.Header(name))
        );
        Assert.Equal(5000, (coding is null ? answer.Body : CompressionTests.Decompress(answer.Body, coding)).Length);
    }

    [Theory]
    [InlineData("\"s\"", "\"s\"")]
    [InlineData("W/\"s\"", "W/\"s\", \"s\"")]
    [InlineData("\"r\", W/\"s\"", "\"r\", W/\"s\", \"r\", \"s\"")]
    [InlineData("*", "*")]
    public async Task A_weak_entity_tag_is_forwarded_with_the_services_strong_one(string sent, string arrives)
    {
        await Get("/any/x", $"If-Match: {sent}\r\n");

        Assert.Equal(arrives, Assert.Single(_arrived).Headers["If-Match"]);
    }

    [Theory]
    [InlineData("/any/error", 502, "upstream_failed")]
    [InlineData("/any/missing", 404, "not_found")]
    [InlineData("/any/teapot", 418, "client_error")]
    public async Task An_error_of_the_service_without_a_problem_document_becomes_one(string path, int status, string code)
    {
        var answer = await Get(path);

        Assert.Equal(status, answer.Status);
        Assert.Equal("application/problem+json", answer.Header("Content-Type"));
        Assert.Contains($"\"code\":\"{code}\"", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("stack", answer.Text, StringComparison.Ordinal);
    }

    private Task<RawResponse> Get(string path, string headers = "") =>
        RawHttp.Send(_stage!.Gateway.Address, $"GET {path} HTTP/1.1\r\nHost: gateway\r\n{headers}\r\n", _stage!.Gateway.Leaks);

    private async Task Serve(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var arrived = new Arrived(
            context.Request.Method,
            context.Features.Get<IHttpRequestFeature>()!.RawTarget,
            context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            await body.ReadToEndAsync()
        );
        _arrived.Enqueue(arrived);
        var response = context.Response;
        switch (context.Request.Path.Value)
        {
            case "/any/loose":
                response.Headers["X-Frame-Options"] = "ALLOWALL";
                response.Headers.ContentSecurityPolicy = "default-src *";
                response.Headers["X-Powered-By"] = "stub";
                response.Headers.Server = "stub";
                response.Headers.SetCookie = "a=b";
                response.Headers["X-Request-Id"] = "another";
                response.Headers.CacheControl = "private, max-age=5";
                response.Headers.Location = _stage!.Service.Address + "any/5";
                break;
            case "/any/large":
                response.ContentType = "application/json";
                response.ContentLength = 5000;
                response.Headers.ETag = "\"s\"";
                foreach (var name in (string[])["Content-Digest", "Repr-Digest", "Digest", "Content-MD5"])
                {
                    response.Headers[name] = "of-it";
                }

                await response.Body.WriteAsync(Encoding.ASCII.GetBytes("\"" + new string('x', 4998) + "\""));
                break;
            case "/any/coded":
                response.StatusCode = 201;
                response.ContentType = "application/vnd.order+json; v=2";
                response.Headers.ContentEncoding = "gzip";
                response.Headers.ContentLanguage = "de";
                await using (var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true))
                {
                    await gzip.WriteAsync("""{"id":"o-1"}"""u8.ToArray());
                }

                break;
            case "/any/error":
                response.StatusCode = 500;
                await response.WriteAsync("stack trace at 10.0.0.7");
                break;
            case "/any/missing":
                response.StatusCode = 404;
                response.ContentType = "text/html";
                await response.WriteAsync("<p>stack</p>");
                break;
            case "/any/teapot":
                response.StatusCode = 418;
                break;
            default:
                break;
        }
    }

    private sealed record Arrived(string Method, string Target, Dictionary<string, string> Headers, string Body);
}
