using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using MobileBff.Tests.Pictures;

namespace MobileBff.Tests.Calls;

/// <summary>Bad documents, slow bodies, retries, canaries and long downloads lead to the specified answer.</summary>
public sealed class WayOfACallTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private const string Pick = """{"productId":"p-1","name":"Shoe","imageUrl":null,"price":1,"currency":"EUR","score":1}""";

    [Fact]
    public async Task A_read_succeeds_by_a_second_attempt_while_the_first_one_hangs()
    {
        var host = Start(new() { ["Upstreams:users:Timeout"] = "00:00:10", ["Composition:home-feed:user:Timeout"] = "00:00:10" });
        Upstream.Users.Faults.Set(new Fault { Mode = FaultMode.Hang, Count = 1 });

        await Ok(await host.Get("/home-feed"));

        Assert.Equal(2, Upstream.Users.Calls.Count);
    }

    [Theory]
    [InlineData("""{"items":[null]}""")]
    [InlineData("{\"items\":[" + Pick + ",null]}")]
    [InlineData("""{"items":null}""")]
    public async Task A_null_entry_fails_its_part_and_is_not_cached(string document)
    {
        var body = document;
        await using var picks = await Service("/users/{id}/recommendations", () => body);
        var host = Start(new() { ["Upstreams:recommendations:Address"] = picks.Address.ToString() });

        var poisoned = await Ok(await host.Get("/home-feed"));
        body = "{\"items\":[" + Pick + "]}";
        var healed = await Ok(await host.Get("/home-feed"));

        Assert.Equal("failed", (string?)poisoned["_meta"]!["degraded"]!["recommendations"]);
        Assert.Null(healed["_meta"]!["degraded"]);
        Assert.Equal("p-1", (string?)healed["recommendations"]![0]!["id"]);
    }

    [Theory]
    [InlineData("/orders", "/users/{id}/orders", """{"items":[null],"nextCursor":null}""")]
    [InlineData(
        "/orders/o-1",
        "/orders/{id}",
        """{"id":"o-1","status":"paid","placedAt":"2026-01-01T00:00:00Z","totalAmount":1,"currency":"EUR","items":[null]}"""
    )]
    [InlineData("/sync", "/users/{id}/orders/changes", """{"items":[],"deleted":[null],"nextToken":"t","hasMore":false}""")]
    public async Task A_null_entry_of_a_required_part_fails_the_request(string path, string at, string document)
    {
        await using var orders = await Service(at, () => document);
        var host = Start(new() { ["Upstreams:orders:Address"] = orders.Address.ToString() });

        await Problem(await host.Get(path), 502, "upstream_failed");
    }

    [Fact]
    public async Task Invalid_text_from_a_service_is_an_upstream_failure()
    {
        await using var users = await Service(
            "/users/{id}",
            () => """{"id":"u-1001","name":"Al","preferences":{"mobile":{"theme":"\ud800"}}}"""
        );
        var host = Start(new() { ["Upstreams:users:Address"] = users.Address.ToString() });

        await Problem(await host.Get("/me"), 502, "upstream_failed");
    }

    [Theory]
    [InlineData("00:00:00")]
    [InlineData("00:01:00")]
    public async Task A_number_that_is_too_large_fails_its_part(string kept)
    {
        await using var reviews = await Service("/products/{id}/reviews", () => """{"items":[],"summary":{"average":-1e400,"count":1}}""");
        var host = Start(
            new()
            {
                ["Upstreams:reviews:Address"] = reviews.Address.ToString(),
                ["Composition:product:reviews:Fresh"] = kept,
                ["Composition:product:reviews:Stale"] = kept,
            }
        );

        var product = await Ok(await host.Get("/products/p-1"));

        Assert.Equal("failed", (string?)product["_meta"]!["degraded"]!["reviews"]);
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error);
    }

    [Theory]
    [InlineData("""{"name":"\ud800"}""")]
    [InlineData("""{"preferences":{"\udc00":1}}""")]
    [InlineData("""{"preferences":{"a":["\ud83d"]}}""")]
    public async Task A_patch_with_half_a_surrogate_pair_is_malformed(string body)
    {
        await Problem(
            await Patch(Start(), new StringContent(body, Encoding.UTF8, "application/merge-patch+json")),
            400,
            "malformed_request"
        );

        Assert.Equal(0, Upstream.Users.Calls.Count);
    }

    [Fact]
    public async Task A_slow_request_body_does_not_use_up_the_services_time()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = Start(new() { ["Composition:Deadline"] = "00:00:03" }, s => s.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock)));
        var begun = new TaskCompletionSource();
        var rest = new TaskCompletionSource();

        var pending = Patch(host, new SlowContent(begun, rest.Task));
        await begun.Task.WaitAsync(WaitLimit);
        clock.Advance(TimeSpan.FromSeconds(4));
        rest.SetResult();

        Assert.Equal("Al", (string?)(await Ok(await pending))["name"]);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(410)]
    [InlineData(422)]
    public async Task A_cursor_that_the_service_no_longer_accepts_is_reported_as_invalid(int status)
    {
        await using var orders = await TestHost.Start(
            _ => { },
            app =>
                app.MapGet(
                    "/users/{id}/orders",
                    (string? cursor) =>
                        cursor is null
                            ? Results.Text("""{"items":[],"nextCursor":"old"}""", "application/json")
                            : Results.Problem(statusCode: status)
                )
        );
        var host = Start(new() { ["Upstreams:orders:Address"] = orders.Address.ToString() });
        var next = (string)(await Ok(await host.Get("/orders")))["next"]!;

        await Problem(await host.Get("/orders?cursor=" + next), 400, "invalid_cursor");
    }

    [Fact]
    public async Task A_page_that_is_longer_than_requested_is_returned_whole()
    {
        const string Order =
            """{"id":"o-ID","status":"paid","placedAt":"2026-01-01T00:00:00Z","totalAmount":1,"currency":"EUR","items":[]}""";
        await using var orders = await Service(
            "/users/{id}/orders",
            () =>
                "{\"items\":["
                + string.Join(',', Enumerable.Range(0, 5).Select(i => Order.Replace("ID", $"{i}", StringComparison.Ordinal)))
                + "],\"nextCursor\":\"5\"}"
        );
        var host = Start(new() { ["Upstreams:orders:Address"] = orders.Address.ToString() });

        Assert.Equal(5, (await Ok(await host.Get("/orders?limit=2")))["items"]!.AsArray().Count);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    [InlineData(410)]
    public async Task A_stale_copy_is_dropped_when_the_service_says_not_found(int status)
    {
        var host = Start(new() { ["Composition:product:product:Fresh"] = "00:00:00", ["Composition:product:product:Stale"] = "01:00:00" });
        await Ok(await host.Get("/products/p-7", user: null));

        Upstream.Products.Faults.Set(new Fault { Mode = FaultMode.Status, Status = status });
        await Problem(await host.Get("/products/p-7", user: null), 404, "not_found");
        Upstream.Products.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 500 });

        await Problem(await host.Get("/products/p-7", user: null), 502, "upstream_failed");
    }

    [Fact]
    public async Task A_header_canary_answers_only_its_own_clients_despite_the_cache()
    {
        await using var canary = await Service("/products/{id}", () => """{"id":"p-1","name":"Canary","imageUrl":null}""");
        var host = Start(
            new()
            {
                ["Upstreams:products:Canary:Address"] = canary.Address.ToString(),
                ["Upstreams:products:Canary:Header"] = "X-Canary=yes",
            }
        );

        var names = new List<string?>();
        foreach (var wanted in (string[])["yes", "no", "yes", "no"])
        {
            var request = host.Request(HttpMethod.Get, "/products/p-1", user: null);
            request.Headers.Add("X-Canary", wanted);
            names.Add((string?)(await Ok(await host.Client.SendAsync(request)))["name"]);
        }

        Assert.Equal(["Canary", names[1], "Canary", names[1]], names);
        Assert.NotEqual("Canary", names[1]);
    }

    [Fact]
    public async Task Anonymous_clients_are_split_by_address_and_stay_on_their_side()
    {
        await using var canary = await Service("/products/{id}", () => """{"id":"p-1","name":"Canary","imageUrl":null}""");
        var host = Start(
            new()
            {
                ["Upstreams:products:Canary:Address"] = canary.Address.ToString(),
                ["Upstreams:products:Canary:Percent"] = "50",
                ["ForwardedHeaders:KnownProxies:0"] = "127.0.0.1",
            }
        );

        var sides = new List<bool>();
        for (var i = 0; i < 80; i++)
        {
            var request = host.Request(HttpMethod.Get, "/products/p-1", user: null);
            request.Headers.Add("X-Forwarded-For", $"203.0.113.{i % 40}");
            sides.Add((string?)(await Ok(await host.Client.SendAsync(request)))["name"] == "Canary");
        }

        Assert.InRange(sides.Take(40).Count(s => s), 8, 32);
        Assert.Equal(sides.Take(40), sides.Skip(40));
    }

    [Fact]
    public async Task A_picture_of_the_canary_is_served_only_to_its_clients()
    {
        await using var canary = await StoredPictures.StartAsync();
        canary.Files["/media/large/p-1.jpg"] = (StoredPictures.Noise("p-1.jpg").Whole, "image/jpeg");
        var host = Start(new() { ["Upstreams:media:Canary:Address"] = canary.Address, ["Upstreams:media:Canary:Header"] = "X-Canary=yes" });

        var tags = new List<string?>();
        foreach (var wanted in (string[])["no", "yes", "no"])
        {
            var request = host.Request(HttpMethod.Get, "/images/p-1.jpg?w=160", user: null);
            request.Headers.Add("X-Canary", wanted);
            var response = await host.Client.SendAsync(request);
            Assert.Contains("X-Canary", response.Headers.NonValidated["Vary"].ToString(), StringComparison.Ordinal);
            tags.Add(response.Headers.ETag?.Tag);
        }

        Assert.Equal(tags[0], tags[2]);
        Assert.NotEqual(tags[0], tags[1]);
    }

    [Fact]
    public async Task A_HEAD_request_reaches_the_service_as_HEAD()
    {
        var host = Start();

        var response = await host.Client.SendAsync(host.Request(HttpMethod.Head, "/catalogue/products"));

        Assert.NotEqual(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("HEAD", Assert.Single(Upstream.Products.Calls.All).Method);
    }

    [Fact]
    public async Task A_download_holds_its_slot_until_it_has_ended()
    {
        var rest = new TaskCompletionSource();
        var calls = 0;
        await using var products = await TestHost.Start(
            _ => { },
            app =>
                app.MapGet(
                    "/products",
                    async context =>
                    {
                        context.Response.ContentType = "application/json";
                        await context.Response.WriteAsync("[");
                        await context.Response.Body.FlushAsync();
                        if (Interlocked.Increment(ref calls) == 1)
                        {
                            await rest.Task;
                        }

                        await context.Response.WriteAsync("]");
                    }
                )
        );
        var host = Start(
            new()
            {
                ["Upstreams:products:Address"] = products.Address.ToString(),
                ["Upstreams:products:MaxConcurrency"] = "1",
                ["Upstreams:products:MaxQueue"] = "0",
            }
        );

        using var first = await host.Client.SendAsync(
            host.Request(HttpMethod.Get, "/catalogue/products"),
            HttpCompletionOption.ResponseHeadersRead
        );
        await Problem(await host.Get("/catalogue/products"), 503, "upstream_unavailable");
        rest.SetResult();

        Assert.Equal("[]", await first.Content.ReadAsStringAsync());
        await Eventually.True(async () => (await host.Get("/catalogue/products")).IsSuccessStatusCode);
    }

    private static Task<TestHost> Service(string path, Func<string> body) =>
        TestHost.Start(_ => { }, app => app.MapGet(path, () => Results.Text(body(), "application/json")));

    private static Task<HttpResponseMessage> Patch(MobileHost host, HttpContent body)
    {
        var request = host.Request(HttpMethod.Patch, "/me");
        request.Content = body;
        return host.Client.SendAsync(request);
    }

    private sealed class SlowContent : HttpContent
    {
        private readonly TaskCompletionSource _begun;
        private readonly Task _rest;

        public SlowContent(TaskCompletionSource begun, Task rest)
        {
            (_begun, _rest) = (begun, rest);
            Headers.ContentType = new MediaTypeHeaderValue("application/merge-patch+json");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("{\"name\":"u8.ToArray());
            await stream.FlushAsync();
            _begun.SetResult();
            await _rest;
            await stream.WriteAsync("\"Al\"}"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
