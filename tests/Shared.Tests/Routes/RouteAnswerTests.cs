using System.IO.Compression;
using System.Net;
using System.Text;
using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Routes;
using Bff.Shared.Tests.Edge;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;

namespace Bff.Shared.Tests.Routes;

/// <summary>Tests the answers of a pass-through route: headers, URLs, and bytes as they are sent.</summary>
public sealed class RouteAnswerTests : IAsyncLifetime, IDisposable
{
    /// <summary>Headers that are relayed.</summary>
    private static readonly (string Name, string Value)[] Passing =
    [
        ("Content-Type", "text/plain"),
        ("Content-Language", "de"),
        ("Content-Disposition", "attachment"),
        ("Accept-Ranges", "bytes"),
        ("ETag", "\"e\""),
        ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("Cache-Control", "max-age=5"),
        ("Expires", "Fri, 02 Jan 2026 00:00:00 GMT"),
        ("Retry-After", "3"),
        ("Vary", "Accept-Language"),
        ("X-Total-Count", "7"),
    ];

    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private readonly ManualTimeProvider _time = new();
    private readonly SemaphoreSlim _goOn = new(0);
    private RouteStage? _stage;

    public void Dispose() => _goOn.Dispose();

    public async Task InitializeAsync()
    {
        _stage = await RouteStage.Start(
            Serve,
            address =>
                new()
                {
                    ["Upstreams:stub:Retries"] = "0",
                    ["Upstreams:stub:Timeout"] = "00:00:30",
                    ["Upstreams:other:Address"] = address,
                    ["Upstreams:other:Token:Mode"] = "Caller",
                    ["Upstreams:other:Token:Otherwise"] = "None",
                    ["Headers:Return:0"] = "X-Total-Count",
                    ["ReverseProxy:Routes:any:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:any:Match:Path"] = "/any/{**rest}",
                    ["ReverseProxy:Routes:any:Metadata:Scope"] = "api",
                    ["ReverseProxy:Routes:api:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:api:Match:Path"] = "/api/orders/{**rest}",
                    ["ReverseProxy:Routes:api:Metadata:Scope"] = "api",
                    ["ReverseProxy:Routes:api:Transforms:0:PathRemovePrefix"] = "/api",
                    ["ReverseProxy:Routes:elsewhere:ClusterId"] = "other",
                    ["ReverseProxy:Routes:elsewhere:Match:Path"] = "/elsewhere/{**rest}",
                    ["ReverseProxy:Routes:elsewhere:Metadata:Scope"] = "api",
                    ["ReverseProxy:Routes:patient:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:patient:Match:Path"] = "/patient/{**rest}",
                    ["ReverseProxy:Routes:patient:Metadata:Scope"] = "api",
                    ["ReverseProxy:Routes:patient:Metadata:IdleTimeout"] = "00:10:00",
                    ["ReverseProxy:Routes:media:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:media:Match:Path"] = "/media/{file}",
                    ["ReverseProxy:Routes:media:AuthorizationPolicy"] = "Anonymous",
                    ["ReverseProxy:Routes:media:Metadata:Limits"] = "none",
                },
            _time
        );
    }

    public async Task DisposeAsync()
    {
        _goOn.Release(1000);
        await _stage!.DisposeAsync();
    }

    [Fact]
    public async Task Only_allowed_response_headers_are_relayed()
    {
        var answer = await Get("/any/headers");

        Assert.Equal(200, answer.Status);
        foreach (var (name, value) in Passing)
        {
            Assert.Equal((name, value), (name, answer.Header(name)));
        }

        foreach (
            var name in (string[])
                [
                    "X-Identity-Token",
                    "X-User-Id",
                    "X-Backend-Server",
                    "NEL",
                    "Report-To",
                    "Refresh",
                    "Alt-Svc",
                    "Public-Key-Pins",
                    "Clear-Site-Data",
                    "Set-Cookie",
                    "X-Anything",
                    "Access-Control-Allow-Origin",
                    "Warning",
                    "Via",
                    "X-Powered-By",
                ]
        )
        {
            Assert.True(answer.Header(name) is null, name);
        }

        foreach (var name in (string[])["RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining"])
        {
            Assert.DoesNotContain("1000999", answer.Header(name) ?? "", StringComparison.Ordinal); // The gateway's own limits stay.
        }
    }

    [Fact]
    public async Task Trailers_of_a_service_are_not_relayed()
    {
        await using var service = await TestHost.Start(
            builder =>
                builder.WebHost.ConfigureKestrel(kestrel =>
                    kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2)
                ),
            app =>
                app.Run(async context =>
                {
                    await context.Response.WriteAsync("x");
                    context.Response.AppendTrailer("x-request-id", "another");
                    context.Response.AppendTrailer("access-control-allow-origin", "*");
                })
        );
        await using var gateway = await TestHost.Start(
            builder =>
            {
                builder.AddBffDefaults();
                builder.WebHost.ConfigureKestrel(kestrel =>
                    kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2)
                );
                builder.Services.AddSingleton<ICallerSource, FixedCaller>();
            },
            app => app.UseBffPipeline(),
            new Dictionary<string, string?>
            {
                ["Upstreams:stub:Address"] = service.Address.ToString(),
                ["Upstreams:stub:Http2"] = "true",
                ["Upstreams:stub:Timeout"] = "00:00:30",
                ["ReverseProxy:Routes:any:ClusterId"] = "stub",
                ["ReverseProxy:Routes:any:Match:Path"] = "/any/{**rest}",
                ["ReverseProxy:Routes:any:Metadata:Scope"] = "api",
            }
        );

        using var request = new HttpRequestMessage(HttpMethod.Get, "/any/x")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var answer = await gateway.Client.SendAsync(request);

        Assert.Equal("x", await answer.Content.ReadAsStringAsync());
        Assert.Empty(answer.TrailingHeaders);
    }

    [Theory]
    [InlineData("/api/orders/new", "/orders/o-1", "/api/orders/o-1")]
    [InlineData("/api/orders/new", "/orders/o-1?a=b#c", "/api/orders/o-1?a=b#c")]
    [InlineData("/api/orders/new", "o-1", "/api/orders/o-1")]
    [InlineData("/api/orders/new", "{service}/orders/o-1", "/api/orders/o-1")]
    [InlineData("/api/orders/new", "http://gateway/orders/o-1", "/api/orders/o-1")]
    [InlineData("/api/orders/new", "/any/5", "/any/5")]
    [InlineData("/any/new", "/orders/o-1", "/api/orders/o-1")]
    [InlineData("/any/new", "/elsewhere/5", null)]
    [InlineData("/api/orders/new", "/shipments/s-1", null)]
    [InlineData("/api/orders/new", "http://orders.internal:8080/orders/o-1", null)]
    [InlineData("/api/orders/new", "ftp://gateway/orders/o-1", null)]
    public async Task A_url_of_the_service_becomes_one_of_the_gateway_or_is_removed(string asked, string named, string? address)
    {
        var answer = await Get(
            $"{asked}?location={Uri.EscapeDataString(named.Replace("{service}", _stage!.Service.Address.ToString().TrimEnd('/'), StringComparison.Ordinal))}"
        );

        Assert.Equal(200, answer.Status);
        Assert.Equal(address, answer.Header("Location"));
        Assert.Equal(address, answer.Header("Content-Location"));
        Assert.Equal(address is null ? null : $"<{address}>; rel=\"self\"; title=\"a, b\"", answer.Header("Link"));
    }

    [Theory]
    [InlineData("anchor=\"{service}/orders/o-2\"", "anchor=\"/api/orders/o-2\"")]
    [InlineData("title=\"a; anchor=b\"; ANCHOR = /orders/o-2; x=y", "title=\"a; anchor=b\"; ANCHOR = /api/orders/o-2; x=y")]
    [InlineData("anchor=\"http://inside.internal/x\"", null)]
    [InlineData("anchor=http://inside.internal/x", null)]
    public async Task The_anchor_of_a_link_is_rewritten_like_a_url(string parameters, string? expected)
    {
        var service = _stage!.Service.Address.ToString().TrimEnd('/');
        var link = $"</orders/o-1>; rel=up; {parameters.Replace("{service}", service, StringComparison.Ordinal)}";

        var answer = await Get($"/api/orders/link?link={Uri.EscapeDataString(link)}");

        Assert.Equal(200, answer.Status);
        Assert.Equal(expected is null ? null : $"</api/orders/o-1>; rel=up; {expected}", answer.Header("Link"));
    }

    [Theory]
    [InlineData("application/json", null)]
    [InlineData("application/json", "gzip")]
    [InlineData("application/json", "br")]
    [InlineData("text/plain", "gzip")]
    [InlineData("text/event-stream", "gzip")]
    [InlineData("application/x-ndjson", "br")]
    [InlineData("application/json-seq", "gzip")]
    [InlineData("multipart/mixed; boundary=b", "gzip")]
    public async Task Flushed_bytes_arrive_before_the_service_continues(string type, string? coding)
    {
        foreach (var (head, size) in new[] { (false, 3), (false, 3000), (true, 3), (true, 3000) })
        {
            using var answer = await Open($"/any/pieces?type={Uri.EscapeDataString(type)}&head={head}&size={size}", coding);
            if (!type.StartsWith("application/json", StringComparison.Ordinal) || type.EndsWith("seq", StringComparison.Ordinal))
            {
                Assert.Empty(answer.Content.Headers.ContentEncoding);
            }

            if (head)
            {
                _goOn.Release(); // The head has arrived, and nothing else.
            }

            await using var body = Decoded(
                await answer.Content.ReadAsStreamAsync(),
                answer.Content.Headers.ContentEncoding.FirstOrDefault()
            );
            for (var i = 0; i < 3; i++)
            {
                var piece = new byte[size];
                await body.ReadExactlyAsync(piece).AsTask().WaitAsync(WaitLimit);
                Assert.All(piece, b => Assert.Equal((byte)('a' + i), b));
                _goOn.Release();
            }

            Assert.Equal(0, await body.ReadAsync(new byte[1]).AsTask().WaitAsync(WaitLimit));
        }
    }

    [Theory]
    [InlineData(500, false, null)]
    [InlineData(5000, false, "gzip")]
    [InlineData(500, true, null)]
    public async Task A_complete_document_is_compressed_as_usual(int size, bool isChunked, string? coding)
    {
        var answer = await Get($"/any/document?size={size}&chunked={isChunked}", "Accept-Encoding: gzip\r\n");

        Assert.Equal(coding, answer.Header("Content-Encoding"));
        Assert.Equal(size, (coding is null ? answer.Body : CompressionTests.Decompress(answer.Body, coding)).Length);
    }

    [Theory]
    [InlineData("/any", "application/octet-stream", 100)]
    [InlineData("/any", "text/event-stream", 3600)]
    [InlineData("/any", "application/grpc", 3600)]
    [InlineData("/patient", "application/octet-stream", 600)]
    [InlineData("/patient", "text/event-stream", 600)]
    public async Task An_answer_may_be_idle_up_to_its_routes_idle_timeout(string route, string type, int seconds)
    {
        var idle = _time.ActiveTimers;
        using var answer = await Open($"{route}/pieces?type={type}&head=True&size=3", null);
        await using var body = await answer.Content.ReadAsStreamAsync();
        await Silent();
        _time.Advance(TimeSpan.FromSeconds(seconds - 1));
        _goOn.Release();
        await body.ReadExactlyAsync(new byte[3]).AsTask().WaitAsync(WaitLimit);
        await Silent();

        _time.Advance(TimeSpan.FromSeconds(seconds - 1));
        _goOn.Release();
        await body.ReadExactlyAsync(new byte[3]).AsTask().WaitAsync(WaitLimit);
        await Silent();
        _time.Advance(TimeSpan.FromSeconds(seconds + 1));

        await Assert.ThrowsAnyAsync<Exception>(() => body.ReadExactlyAsync(new byte[3]).AsTask().WaitAsync(WaitLimit));

        async Task Silent()
        {
            while (_time.ActiveTimers == idle)
            {
                await Task.Yield();
            }
        }
    }

    [Theory]
    [InlineData("websocket", null, "/any", 3600 + 60)]
    [InlineData(null, null, "/patient", null)]
    [InlineData("websocket", null, "/patient", 600 + 60)]
    [InlineData(null, "websocket", "/patient", 600 + 60)]
    public void A_socket_may_be_idle_for_an_hour_or_up_to_its_routes_idle_timeout(
        string? upgrade,
        string? protocol,
        string path,
        int? seconds
    )
    {
        var config = _stage!.Gateway.Services.GetRequiredService<IProxyConfigProvider>().GetConfig();
        var context = new DefaultHttpContext();
        context.Request.Headers.Upgrade = upgrade;
        if (protocol is not null)
        {
            context.Features.Set<IHttpExtendedConnectFeature>(new Http2Socket(protocol));
        }

        var route = config.Routes.Single(r => r.Match.Path!.StartsWith(path, StringComparison.Ordinal));
        TimeSpan? expected = seconds is { } own ? TimeSpan.FromSeconds(own) : null;
        Assert.Equal(expected, IdleTimeouts.ActivityTimeout(context, route));
        Assert.All(config.Clusters, cluster => Assert.Equal(TimeSpan.FromHours(1), cluster.HttpRequest!.ActivityTimeout));
    }

    [Theory]
    [InlineData("/media/p-1.jpg", "cross-origin")]
    [InlineData("/any/headers", "same-origin")]
    public async Task Only_public_media_may_be_embedded_by_any_page(string path, string policy) =>
        Assert.Equal(policy, (await Get(path)).Header("Cross-Origin-Resource-Policy"));

    private Task<RawResponse> Get(string path, string headers = "") =>
        RawHttp.Send(_stage!.Gateway.Address, $"GET {path} HTTP/1.1\r\nHost: gateway\r\n{headers}\r\n", _stage!.Gateway.Leaks);

    private async Task<HttpResponseMessage> Open(string path, string? coding)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (coding is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept-Encoding", coding);
        }

        return await _stage!.Gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(WaitLimit);
    }

    private static Stream Decoded(Stream body, string? coding) =>
        coding switch
        {
            "gzip" => new GZipStream(body, CompressionMode.Decompress),
            "br" => new BrotliStream(body, CompressionMode.Decompress),
            _ => body,
        };

    [Fact]
    public async Task A_client_that_asks_for_what_is_beyond_the_end_is_told_where_the_end_is()
    {
        Assert.Equal("bytes */7", (await Get("/any/refused?status=416")).Header("Content-Range"));
        Assert.Null((await Get("/any/refused?status=404")).Header("Content-Range"));
    }

    [Theory]
    [InlineData("Sec-WebSocket-Version: 12\r\n")]
    [InlineData("Sec-WebSocket-Version: 13, 12\r\n")]
    [InlineData("")]
    public async Task A_WebSocket_of_another_version_is_told_the_one_that_there_is(string version)
    {
        var answer = await Get(
            "/any/headers",
            $"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{version}"
        );

        Assert.Equal(426, answer.Status);
        Assert.Equal(("13", "websocket"), (answer.Header("Sec-WebSocket-Version"), answer.Header("Upgrade")));
    }

    /// <summary>A refusal of what the gateway has sent is nothing that a client could mend.</summary>
    [Theory]
    [InlineData("/any/refused?status=401", "", 502, "upstream_failed")]
    [InlineData("/any/refused?status=401&type=text/html", "", 502, "upstream_failed")]
    [InlineData("/any/refused?status=407", "", 502, "upstream_failed")]
    [InlineData("/any/refused?status=407&type=application/json", "", 502, "upstream_failed")]
    [InlineData("/media/refused?status=401", "X-Nobody: 1\r\n", 401, "missing_token")] // Who brought nothing may bring something.
    [InlineData("/elsewhere/refused?status=401", "X-Token: 1\r\n", 401, "missing_token")] // The client's own went on.
    [InlineData("/elsewhere/refused?status=401", "", 502, "upstream_failed")]
    [InlineData("/any/refused?status=403", "", 403, "forbidden")]
    [InlineData("/any/refused?status=401&type=application/problem%2Bjson", "", 401, null)]
    public async Task A_service_that_asks_for_a_credential_signs_no_client_out(string path, string headers, int status, string? code)
    {
        var answer = await Get(path, headers);

        Assert.Equal(status, answer.Status);
        Assert.Equal(code, (string?)System.Text.Json.Nodes.JsonNode.Parse(answer.Text)!["code"]);
        Assert.Null(answer.Header("Proxy-Authenticate"));
    }

    private async Task Serve(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        switch (request.Path.Value!.Split('/')[^1])
        {
            case "headers":
                foreach (
                    var (name, value) in ((string Name, string Value)[])
                        [
                            .. Passing,
                            ("X-Identity-Token", "t"),
                            ("X-User-Id", "admin"),
                            ("X-Backend-Server", "b-1"),
                            ("NEL", "{}"),
                            ("Report-To", "{}"),
                            ("Refresh", "0; url=http://evil"),
                            ("Alt-Svc", "h3=\":1\""),
                            ("Public-Key-Pins", "p"),
                            ("Clear-Site-Data", "\"*\""),
                            ("Set-Cookie", "a=b"),
                            ("X-RateLimit-Limit", "1000999"),
                            ("X-RateLimit-Remaining", "1000999"),
                            ("RateLimit-Policy", "\"x\";q=1000999"),
                            ("X-Anything", "x"),
                            ("Access-Control-Allow-Origin", "*"),
                            ("Warning", "299 - x"),
                            ("Via", "1.1 x"),
                            ("X-Powered-By", "x"),
                        ]
                )
                {
                    response.Headers[name] = value;
                }

                await response.WriteAsync("x");
                break;
            case "refused":
                response.StatusCode = int.Parse(request.Query["status"]!, System.Globalization.CultureInfo.InvariantCulture);
                response.Headers.ContentRange = "bytes */7";
                response.Headers.ProxyAuthenticate = "Basic realm=\"x\"";
                if (request.Query["type"] is [{ } refusal])
                {
                    response.ContentType = refusal;
                    await response.WriteAsync("{}");
                }

                break;
            case "new":
                response.Headers.Location = request.Query["location"];
                response.Headers.ContentLocation = request.Query["location"];
                response.Headers.Link =
                    $"<{request.Query["location"]}>; rel=\"self\"; title=\"a, b\", <http://inside.internal/x>; rel=\"next\"";
                break;
            case "link":
                response.Headers.Link = request.Query["link"];
                break;
            case "pieces":
                response.ContentType = request.Query["type"];
                if (request.Query["head"] == "True")
                {
                    await response.Body.FlushAsync();
                    await _goOn.WaitAsync(context.RequestAborted);
                }

                for (var i = 0; i < 3; i++)
                {
                    await response.WriteAsync(
                        new string((char)('a' + i), int.Parse(request.Query["size"]!, System.Globalization.CultureInfo.InvariantCulture))
                    );
                    await response.Body.FlushAsync();
                    await _goOn.WaitAsync(context.RequestAborted);
                }

                break;
            case "document":
                var size = int.Parse(request.Query["size"]!, System.Globalization.CultureInfo.InvariantCulture);
                response.ContentType = "application/json";
                response.ContentLength = request.Query["chunked"] == "True" ? null : size;
                await response.Body.WriteAsync(Encoding.ASCII.GetBytes(new string('1', size)));
                break;
            default:
                break;
        }
    }

    private sealed class Http2Socket(string protocol) : IHttpExtendedConnectFeature
    {
        public bool IsExtendedConnect => true;

        public string? Protocol => protocol;

        public ValueTask<Stream> AcceptAsync() => throw new NotSupportedException();
    }
}
