using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Bff.Caching;
using Bff.Events;
using Bff.Requests;
using Bff.Shared.Tests.Callers;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.Shared.Tests.Events;

public sealed class EventEndpointsTests
{
    private const string Shipped =
        """{"specversion":"1.0","id":"1","source":"/orders","type":"order.shipped","subject":"o-7","tenantid":"acme","userid":"u-1","data":{"n":1}}""";

    [Fact]
    public async Task A_published_event_invalidates_its_fragments_and_reaches_its_user_once()
    {
        await using var issuer = await TestIssuer.Start();
        var invalidated = new Recorder();
        await using var host = await Start(issuer, configure: b => b.Services.AddSingleton<IFragmentInvalidator>(invalidated));
        using var stream = await Sse.Open(host, issuer);

        Assert.Equal(HttpStatusCode.Accepted, await Publish(host, issuer, Shipped));
        Assert.Equal(HttpStatusCode.Accepted, await Publish(host, issuer, Shipped));
        Assert.Equal(
            HttpStatusCode.Accepted,
            await Publish(
                host,
                issuer,
                $"[{Shipped},{Shipped.Replace("\"1\"", "\"2\"", StringComparison.Ordinal)}]",
                "application/cloudevents-batch+json"
            )
        );

        var first = await stream.Next();
        var second = await stream.Next();
        Assert.Equal(("order.shipped", """{"n":1}"""), (first["event"], first["data"]));
        Assert.True(EventId.TryParse(first["id"], out var one) && EventId.TryParse(second["id"], out var two) && two > one);
        Assert.Equal(["order:o-7"], invalidated.Tags.Distinct());
    }

    [Theory]
    [InlineData("application/cloudevents+json", "{}", "specversion")]
    [InlineData("application/json", """{"specversion":"0.3","id":"1","source":"s","type":"t"}""", "specversion")]
    [InlineData("application/json", """{"specversion":"1.0","id":"","source":"s","type":"t"}""", "id")]
    [InlineData("application/json", """{"specversion":"1.0","id":"1","source":"s","type":"a\nevent: b"}""", "type")]
    [InlineData("application/json", """{"specversion":"1.0","id":"1","source":"s","type":"t","time":"yesterday"}""", "time")]
    [InlineData("application/json", """{"specversion":"1.0","id":"1","source":"s","type":"t","userid":7}""", "userid")]
    [InlineData(
        "application/json",
        """{"specversion":"1.0","id":"1","source":"s","type":"t","data":1,"data_base64":"YQ=="}""",
        "data_base64"
    )]
    [InlineData(
        "application/json",
        """[{"specversion":"1.0","id":"1","source":"s","type":"t"},{"specversion":"1.0","id":"2","source":"s"}]""",
        "[1].type"
    )]
    public async Task An_invalid_event_is_refused_with_its_batch(string mediaType, string body, string member)
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Start(issuer);
        var end = await host.Services.GetRequiredService<IEventLog>().End(default);

        using var response = await Post(host, issuer, body, mediaType);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("validation_failed", (string)problem["code"]!);
        Assert.NotNull(problem["errors"]![member]);
        Assert.Equal(end.Number, (await host.Services.GetRequiredService<IEventLog>().End(default)).Number);
    }

    [Fact]
    public async Task Only_services_with_the_scope_may_publish_and_only_json()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Start(issuer);
        Assert.Equal(HttpStatusCode.Forbidden, await Publish(host, issuer, Shipped, scope: "api"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, await Publish(host, issuer, Shipped, "text/plain"));
        Assert.Equal(HttpStatusCode.BadRequest, await Publish(host, issuer, Shipped[..^1]));
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await host.Client.PostAsync(new Uri("/internal/events", UriKind.Relative), new StringContent(Shipped))).StatusCode
        );
    }

    [Theory]
    [InlineData("\\\"")]
    [InlineData("é")]
    [InlineData("<")]
    [InlineData("\\u20ac")]
    [InlineData("a")]
    public async Task An_event_may_have_64_KiB_on_the_wire_with_any_characters(string character)
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Start(issuer, new() { ["Events:Retention"] = "01:00:00" });
        foreach (var (over, status) in new[] { (0, HttpStatusCode.Accepted), (1, HttpStatusCode.RequestEntityTooLarge) })
        {
            var sent = Event(character, (64 * 1024) + over);
            Assert.Equal((64 * 1024) + over, Encoding.UTF8.GetByteCount(sent));
            Assert.Equal(status, await Publish(host, issuer, sent));
            Assert.Equal(status, await Publish(host, issuer, $"[{Shipped}, {sent} ]", "application/cloudevents-batch+json"));
        }
    }

    [Fact]
    public async Task Thirty_thousand_escaped_characters_arrive_as_they_were_sent()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Start(issuer);
        using var stream = await Sse.Open(host, issuer);
        var text = string.Concat(Enumerable.Repeat("\"\na", 10_000));

        Assert.Equal(
            HttpStatusCode.Accepted,
            await Publish(
                host,
                issuer,
                $$"""
                {"specversion":"1.0","id":"1","source":"s","type":"t","tenantid":"acme","userid":"u-1","data":"{{text.Replace(
                        "\"",
                        "\\\"",
                        StringComparison.Ordinal
                    ).Replace("\n", "\\n", StringComparison.Ordinal)}}"}
                """
            )
        );

        Assert.Equal(text, (string?)JsonNode.Parse((await stream.Next())["data"]));
    }

    [RedisFact]
    public async Task Events_are_refused_while_Redis_is_down_and_streams_continue_when_it_is_back()
    {
        using var redis = RedisServer.Run();
        await using var issuer = await TestIssuer.Start();
        await using var host = await Start(
            issuer,
            new() { ["ConnectionStrings:redis"] = redis.ConnectionString, ["State:Timeout"] = Generous.StateTimeout }
        );
        var state = host.Services.GetRequiredService<RedisState>();
        await Eventually.True(() => state.IsAvailable);
        using var stream = await Sse.Open(host, issuer);

        redis.Stop();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Publish(host, issuer, Shipped));
        redis.Start();
        await Eventually.True(() => state.IsAvailable);
        Assert.Equal(HttpStatusCode.Accepted, await Publish(host, issuer, Shipped));
        Assert.Equal("""{"n":1}""", (await stream.Next())["data"]);
    }

    [Fact]
    public async Task A_stream_is_neither_cached_nor_buffered_nor_compressed_and_resumes_after_the_last_event_id()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Start(issuer);
        Dictionary<string, string> opened,
            first;
        using (var stream = await Sse.Open(host, issuer))
        {
            Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType!.MediaType);
            Assert.Equal("no", stream.Response.Headers.GetValues("X-Accel-Buffering").Single());
            Assert.True(stream.Response.Headers.CacheControl!.NoStore);
            Assert.Empty(stream.Response.Content.Headers.ContentEncoding);
            opened = stream.Opened;
            await Publish(host, issuer, Shipped);
            first = await stream.Next();
        }

        await Publish(
            host,
            issuer,
            Shipped.Replace("\"1\"", "\"2\"", StringComparison.Ordinal).Replace("{\"n\":1}", "{\"n\":2}", StringComparison.Ordinal)
        );
        using (var resumed = await Sse.Open(host, issuer, first["id"]))
        {
            Assert.Equal("""{"n":2}""", (await resumed.Next())["data"]);
        }

        using var all = await Sse.Open(host, issuer, opened["id"]);
        Assert.Equal("""{"n":1}""", (await all.Next())["data"]);
        Assert.Equal("""{"n":2}""", (await all.Next())["data"]);
    }

    [Theory, InlineData("1-0"), InlineData("nonsense"), InlineData("9999999999999999999999-1")]
    public async Task An_unknown_Last_Event_ID_gives_one_reset(string lastEventId)
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await Start(issuer);
        await Publish(host, issuer, Shipped);
        using var stream = await Sse.Open(host, issuer, lastEventId);
        Assert.Equal("reset", (await stream.Next())["event"]);
        await Publish(host, issuer, Shipped.Replace("\"1\"", "\"2\"", StringComparison.Ordinal));
        Assert.Equal("order.shipped", (await stream.Next())["event"]);
    }

    [Fact]
    public async Task A_stream_ends_with_its_session_and_a_draining_host_sends_a_retry_time()
    {
        await using var issuer = await TestIssuer.Start();
        using var session = new CancellationTokenSource();
        await using var host = await Start(
            issuer,
            map: app => app.MapGet("/session", () => new ServerSentEvents(session.Token)).RequireScope("api")
        );
        using var bound = await Sse.Open(host, issuer, path: "/session");
        using var other = await Sse.Open(host, issuer);

        await session.CancelAsync();
        Assert.DoesNotContain("retry:", await bound.Rest(), StringComparison.Ordinal);

        await host.Services.GetRequiredService<IHost>().StopAsync();
        Assert.Contains("retry: ", await other.Rest(), StringComparison.Ordinal);
    }

    private static async Task<CallersHost> Start(
        TestIssuer issuer,
        Dictionary<string, string?>? settings = null,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplication>? map = null
    ) =>
        await (
            await CallersHost.Start(
                issuer,
                settings,
                configure,
                app =>
                {
                    app.MapGet("/stream", () => new ServerSentEvents()).RequireScope("api");
                    map?.Invoke(app);
                }
            )
        ).Ready();

    private static async Task<HttpStatusCode> Publish(
        CallersHost host,
        TestIssuer issuer,
        string body,
        string mediaType = "application/cloudevents+json",
        string scope = "events.publish"
    )
    {
        using var response = await Post(host, issuer, body, mediaType, scope);
        return response.StatusCode;
    }

    /// <summary>Returns an event of the given size in bytes that consists almost entirely of data.</summary>
    private static string Event(string character, int bytes)
    {
        const string Head = "{\"specversion\":\"1.0\",\"id\":\"64\",\"source\":\"s\",\"type\":\"t\",\"data\":\"";
        var room = bytes - Head.Length - 2;
        var size = Encoding.UTF8.GetByteCount(character);
        return Head + string.Concat(Enumerable.Repeat(character, room / size)) + new string('a', room % size) + "\"}";
    }

    private static Task<HttpResponseMessage> Post(
        CallersHost host,
        TestIssuer issuer,
        string body,
        string mediaType,
        string scope = "events.publish"
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/internal/events")
        {
            Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(mediaType)),
        };
        request.Headers.Authorization = new("Bearer", issuer.Token(c => c["scope"] = scope));
        return host.Client.SendAsync(request);
    }

    private sealed class Recorder : IFragmentInvalidator
    {
        public ConcurrentQueue<string> Tags { get; } = new();

        public Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation)
        {
            foreach (var tag in tags)
            {
                Tags.Enqueue(tag);
            }

            return Task.CompletedTask;
        }
    }

    private sealed class Sse(HttpResponseMessage response, StreamReader reader) : IDisposable
    {
        public HttpResponseMessage Response => response;

        public Dictionary<string, string> Opened { get; private set; } = [];

        public static async Task<Sse> Open(CallersHost host, TestIssuer issuer, string? lastEventId = null, string path = "/stream")
        {
            var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Authorization = new("Bearer", issuer.Token());
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "br, gzip");
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
            var response = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var sse = new Sse(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
            sse.Opened = await sse.Block();
            return sse;
        }

        /// <summary>Reads the next event. Skips comments and blocks that carry only an id.</summary>
        public async Task<Dictionary<string, string>> Next()
        {
            while (true)
            {
                if (await Block() is var block && block.ContainsKey("data"))
                {
                    return block;
                }
            }
        }

        public async Task<string> Rest() => await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30));

        public void Dispose()
        {
            reader.Dispose();
            response.Dispose();
        }

        private async Task<Dictionary<string, string>> Block()
        {
            var fields = new Dictionary<string, string>();
            while (await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                fields[line[..colon]] = line[(colon + 1)..].TrimStart();
            }

            return fields;
        }
    }
}
