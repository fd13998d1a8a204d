using System.Globalization;
using Bff.TestKit.Telemetry;

namespace WebBff.Tests.Observability;

/// <summary>One trace from the app's request to the services and Redis, as a collector receives it.</summary>
[Collection(nameof(Alone))]
public sealed class TraceTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c",
        AppSpan = "b7ad6b7169203331";

    /// <summary>The service, method and HTTP version of each part's call.</summary>
    private static readonly (string Part, string Service, string Method, string Protocol)[] Calls =
    [
        ("product", "catalog", "POST", "2"), // gRPC
        ("pricing", "pricing", "POST", "1.1"), // GraphQL
        ("inventory", "inventory", "GET", "1.1"),
        ("reviews", "reviews", "GET", "1.1"),
        ("related", "recommendations", "GET", "1.1"),
    ];

    [RedisFact]
    public async Task A_product_page_is_one_trace_from_the_app_through_every_part_to_services_and_redis()
    {
        using var redis = RedisServer.Run();
        using var collector = OtlpCollector.Start();
        var host = Start(new(collector.Settings) { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);
        await Ok(await browser.Get("/api/products/p-2")); // Keys and scripts are loaded before the trace begins.

        await Ok(await Ask(browser, "/api/products/p-1?include=pricing,inventory,reviews,related"));

        var spans = await collector.Trace(TraceId, s => s.Any(x => x.ParentId == AppSpan) && s.Count(IsWrite) == Calls.Length);
        var server = Assert.Single(spans, s => s.ParentId == AppSpan);
        Assert.Equal((SpanKind.Server, "GET /api/products/{id}", "Microsoft.AspNetCore"), (server.Kind, server.Name, server.Source));
        Has(
            server,
            ("http.request.method", "GET"),
            ("http.route", "/api/products/{id}"),
            ("url.path", "/api/products/{id}"),
            ("http.response.status_code", "200"),
            ("url.scheme", "http"),
            ("server.address", "127.0.0.1"),
            ("network.protocol.version", "1.1")
        );

        var steps = Children(spans, server);
        Assert.Equal(["EVALSHA", "EVALSHA", "compose product"], steps.Select(s => s.Name)); // The session, the limits, the composition.
        Assert.All(steps[..2], IsRedis);
        Assert.Equal((SpanKind.Internal, "Bff.Composition"), (steps[2].Kind, steps[2].Source));

        var parts = Children(spans, steps[2]);
        Assert.Equal(Calls.Select(c => "part " + c.Part).Order(), parts.Select(p => p.Name).Order());
        foreach (var (name, service, method, protocol) in Calls)
        {
            var part = parts.Single(p => p.Name == "part " + name);
            Has(part, ("bff.part.status", "live"));
            var below = Children(spans, part);
            // The shared cache is read, then the service is called, then the answer is stored.
            Assert.Equal(["PIPELINE", method, "SET"], below.Select(s => s.Name));
            IsRedis(below[0]);
            IsRedis(below[2]);
            Assert.Equal((SpanKind.Client, "Bff.Upstreams"), (below[1].Kind, below[1].Source));
            Has(
                below[1],
                ("bff.upstream", service),
                ("http.request.method", method),
                ("http.response.status_code", "200"),
                ("network.protocol.version", protocol),
                ("server.address", "127.0.0.1"),
                ("server.port", new Uri(Address(service)).Port.ToString(CultureInfo.InvariantCulture)),
                ("url.full", new Uri(Address(service)).GetLeftPart(UriPartial.Authority))
            );

            var received = Upstream[service]
                .Calls.All.Single(c => c.Header("traceparent")?.Contains(TraceId, StringComparison.Ordinal) == true);
            Assert.Equal($"00-{TraceId}-{below[1].SpanId}-01", received.Header("traceparent"));
        }
    }

    [RedisFact]
    public async Task No_span_names_a_person_or_holds_a_secret()
    {
        using var redis = RedisServer.Run();
        using var collector = OtlpCollector.Start();
        var host = Start(new(collector.Settings) { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);
        await Ok(await Ask(browser, "/api/search?q=secret-wish"));
        await Ok(await Ask(browser, "/api/dashboard"));

        var spans = await collector.Trace(TraceId, s => s.Count(x => x.ParentId == AppSpan) == 2);
        var written = string.Join(
            '\n',
            spans.Concat(collector.Spans).SelectMany(s => s.Tags.Select(t => $"{t.Key}={t.Value}").Append(s.Name))
        );

        Assert.Contains(spans, s => s.Name == "part user");
        Assert.All(
            (string[])["u-1001", "alice", "Alice", "secret-wish", browser.Session!, "Mozilla", "Bearer", "eyJ", "?code=", "&code="],
            personal => Assert.DoesNotContain(personal, written, StringComparison.Ordinal)
        );
        Assert.All(
            spans,
            s => Assert.DoesNotContain(s.Tags, t => t.Key is "url.query" or "user_agent.original" or "client.address" or "enduser.id")
        );
    }

    /// <summary>Neither the stages nor Redis create spans for a trace that is not sampled.</summary>
    [RedisFact]
    public async Task A_request_that_is_not_sampled_makes_no_spans_and_tells_services_so()
    {
        using var redis = RedisServer.Run();
        using var collector = OtlpCollector.Start();
        var host = Start(new(collector.Settings) { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);
        await Ok(await Ask(browser, "/api/products/p-1", flags: "00"));
        const string Later = "1af7651916cd43dd8448eb211c80319c";
        await Ok(await Ask(browser, "/api/products/p-3", trace: Later));

        await collector.Trace(Later, s => s.Any(x => x.ParentId == AppSpan));
        Assert.DoesNotContain(collector.Spans, s => s.TraceId == TraceId);
        Assert.Contains(
            Upstream["catalog"].Calls.All,
            c =>
                c.Header("traceparent") is { } parent
                && parent.Contains(TraceId, StringComparison.Ordinal)
                && parent.EndsWith("-00", StringComparison.Ordinal)
        );
    }

    [RedisFact]
    public async Task A_call_that_redis_does_not_answer_is_a_failed_span_and_a_failed_answer_a_failed_server_span()
    {
        using var redis = RedisServer.Run();
        using var collector = OtlpCollector.Start();
        var host = Start(new(collector.Settings) { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);
        redis.Stop();

        using var answer = await Ask(browser, "/api/products/p-1");
        await Problem(answer, 503, "store_unavailable");

        var spans = await collector.Trace(TraceId, s => s.Any(x => x.ParentId == AppSpan));
        var server = spans.Single(s => s.ParentId == AppSpan);
        Assert.True(server.Failed);
        Has(server, ("http.response.status_code", "503"), ("error.type", "503"));
        var call = spans.First(s => s.Source == "Bff.State");
        Assert.True(call.Failed);
        Has(call, ("error.type", "Bff.State.StoreUnavailableException"));
    }

    [Theory, InlineData(FaultMode.Status, "500"), InlineData(FaultMode.Reset, "System.Net.Http.HttpRequestException")]
    public async Task An_attempt_that_fails_is_a_failed_client_span_that_says_why_and_so_does_the_part(FaultMode fault, string error)
    {
        using var collector = OtlpCollector.Start();
        var host = Start(new(collector.Settings) { ["Upstreams:reviews:Retries"] = "0" });
        var browser = await SignedIn(host);
        Upstream["reviews"].Faults.Set(fault);

        await Ok(await Ask(browser, "/api/products/p-4?include=reviews"));

        var spans = await collector.Trace(TraceId, s => s.Any(x => x.ParentId == AppSpan));
        var part = Assert.Single(spans, s => s.Name == "part reviews");
        Has(part, ("bff.part.status", "failed"));
        var call = Assert.Single(Children(spans, part));
        Assert.True(call.Failed);
        Has(call, ("bff.upstream", "reviews"), ("error.type", error));
    }

    private static bool IsWrite(CollectedSpan span) => span.Name == "SET";

    private static Task<HttpResponseMessage> Ask(Browser browser, string path, string trace = TraceId, string flags = "01") =>
        browser.Send(
            HttpMethod.Get,
            path,
            ("X-CSRF", "1"),
            ("Sec-Fetch-Site", "same-origin"),
            ("User-Agent", "Mozilla/5.0"),
            ("traceparent", $"00-{trace}-{AppSpan}-{flags}")
        );

    private static void IsRedis(CollectedSpan span)
    {
        Assert.Equal((SpanKind.Client, "Bff.State", false), (span.Kind, span.Source, span.Failed));
        Assert.Equal(["db.operation.name", "db.system.name"], span.Tags.Keys.Order());
        Has(span, ("db.system.name", "redis"), ("db.operation.name", span.Name));
    }

    private static void Has(CollectedSpan span, params (string Key, string Value)[] tags) =>
        Assert.All(tags, t => Assert.Equal(t.Value, span.Tags.GetValueOrDefault(t.Key)));

    private static List<CollectedSpan> Children(IReadOnlyList<CollectedSpan> spans, CollectedSpan parent) =>
        [.. spans.Where(s => s.ParentId == parent.SpanId).OrderBy(s => s.Start)];

    private string Address(string service) => Upstream.GatewaySettings.Single(s => s.Key == $"Upstreams:{service}:Address").Value!;
}
