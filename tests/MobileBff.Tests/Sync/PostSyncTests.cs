using System.Text;
using Bff.Idempotency;
using Bff.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace MobileBff.Tests.Sync;

/// <summary>
/// One request sends the operations that an app made while offline, and brings the changes since its last synchronisation.
/// </summary>
public sealed class PostSyncTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private const string Order =
        """{"id":"op-1","type":"order.place","body":{"currency":"EUR","items":[{"productId":"p-1","quantity":2}]}}""";
    private const string Read = """{"id":"op-2","type":"notification.read","body":{"id":"n-1001-12"}}""";
    private const string Change = """{"id":"op-3","type":"profile.change","body":{"locale":"de-DE"}}""";

    [Fact]
    public async Task Each_operation_is_done_once_and_the_answer_brings_the_changes()
    {
        var host = Start();
        var since = (string)(await Ok(await host.Get("/sync?limit=100")))["next"]!;

        var answer = await Done(await Send(host, $"/sync?since={since}&limit=100", Order, Read, Change));

        Assert.Equal(["results", "succeeded", "failed", "orders", "unread", "next", "hasMore", "_meta"], answer.Select(m => m.Key));
        Assert.Equal((3, 0), ((int)answer["succeeded"]!, (int)answer["failed"]!));
        Assert.Equal([("op-1", 201), ("op-2", 204), ("op-3", 200)], Results(answer));
        Assert.Equal("de-DE", (string?)answer["results"]![2]!["result"]!["locale"]);
        Assert.False(answer["results"]![1]!.AsObject().ContainsKey("result"));
        var placed = (string)answer["results"]![0]!["result"]!["id"]!;
        Assert.Contains(placed, answer["orders"]!["changed"]!.AsArray().Select(o => (string)o!["id"]!));
        var sent = Assert.Single(Upstream.Orders.Calls.All, c => c.Method == "POST");
        Assert.Equal(("op-1", "u-1001"), (sent.Header("Idempotency-Key"), sent.Header("X-User-Id")));

        Assert.Equal(2, (await Done(await Send(host, "/sync?limit=2", Read)))["orders"]!["changed"]!.AsArray().Count);

        // An app that lost the answer sends all operations again.
        var again = await Done(await Send(host, "/sync?limit=100", Order, Read, Change));
        Assert.Equal(answer["results"]!.ToJsonString(), again["results"]!.ToJsonString());
        Assert.Single(Upstream.Orders.Calls.All, c => c.Method == "POST");
        Assert.Single(Upstream.Users.Calls.All, c => c.Method == "PATCH");
        Assert.Single(Upstream.Notifications.Calls.All, c => c.Method == "POST");
    }

    [Fact]
    public async Task A_failure_stops_only_the_operations_that_depend_on_it()
    {
        var host = Start();

        var answer = await Done(
            await Send(
                host,
                "/sync",
                """{"id":"a","type":"profile.change","body":{"email":"x@example.com"}}""",
                """{"id":"b","type":"notification.read","body":{"id":"n-1001-12"},"after":["a"]}""",
                """{"id":"c","type":"profile.change","body":{"name":"Ada"},"after":["b"]}""",
                """{"id":"d","type":"order.place","body":{"items":[{"productId":"p-none","quantity":1}]}}""",
                """{"id":"e","type":"notification.read","body":{}}""",
                """{"id":"g","type":"notification.read","body":{"id":".."}}""",
                """{"id":"h","type":"profile.change","body":{"name":"Ada"},"after":[]}"""
            )
        );

        Assert.Equal([("a", 400), ("b", 424), ("c", 424), ("d", 422), ("e", 400), ("g", 404), ("h", 200)], Results(answer));
        Assert.Equal(
            ["validation_failed", "dependency_failed", "dependency_failed", "unprocessable", "validation_failed", "not_found", null],
            answer["results"]!.AsArray().Select(r => (string?)r!["error"]?["code"])
        );
        Assert.Equal((1, 6), ((int)answer["succeeded"]!, (int)answer["failed"]!));
        Assert.Equal(0, Upstream.Notifications.Calls.All.Count(c => c.Method == "POST"));
    }

    [Theory]
    [InlineData("""{"operations":[]}""", "operations")]
    [InlineData("""{"operations":[null]}""", "operations")]
    [InlineData("""{"operations":[{"id":"a","type":"order.cancel","body":{}}]}""", "operations[0].type")]
    [InlineData("""{"operations":[{"id":"","type":"order.place","body":{}}]}""", "operations[0].id")]
    [InlineData("""{"operations":[{"id":"ä","type":"order.place","body":{}}]}""", "operations[0].id")]
    [InlineData("""{"operations":[{"id":"a","type":"order.place","body":[]}]}""", "operations[0].body")]
    [InlineData(
        """{"operations":[{"id":"a","type":"order.place","body":{}},{"id":"a","type":"order.place","body":{}}]}""",
        "operations[1].id"
    )]
    [InlineData(
        """{"operations":[{"id":"a","type":"order.place","body":{},"after":["b"]},{"id":"b","type":"order.place","body":{}}]}""",
        "operations[0].after"
    )]
    [InlineData("""{"operations":[{"id":"a","type":"order.place","body":{},"after":["a"]}]}""", "operations[0].after")]
    [InlineData("{}", "operations")]
    [InlineData("""{"operations":[{"id":"a","body":{}}]}""", "operations[0].type")]
    [InlineData("""{"operations":[{"id":"a","type":"order.place"}]}""", "operations[0].body")]
    [InlineData("""{"operations":[{"type":"order.place","body":{}}]}""", "operations[0].id")]
    public async Task A_request_that_is_wrong_as_a_whole_does_nothing(string body, string member)
    {
        var host = Start();

        using var answer = await SendText(host, "/sync", body);

        Assert.Equal([member], (await Problem(answer, 400, "validation_failed"))["errors"]!.AsObject().Select(e => e.Key));
        Assert.Equal(0, Upstream.Orders.Calls.Count);
    }

    [Fact]
    public async Task Too_many_operations_a_forged_token_and_half_a_surrogate_pair_are_refused()
    {
        var host = Start();
        var many = Enumerable.Range(0, 101).Select(i => Read.Replace("op-2", "op-" + i, StringComparison.Ordinal)).ToArray();

        await Problem(await Send(host, "/sync", many), 400, "validation_failed");
        await Problem(await Send(host, "/sync?since=forged", Read), 400, "invalid_cursor");
        var tooLong = Read.Replace("op-2", new string('a', IdempotencyKey.MaxLength + 1), StringComparison.Ordinal);
        await Problem(await Send(host, "/sync", tooLong), 400, "validation_failed");

        await Problem(
            await Send(host, "/sync", """{"id":"f","type":"profile.change","body":{"name":"\ud800"}}"""),
            400,
            "malformed_request"
        );

        Assert.Equal(0, Upstream.Notifications.Calls.Count);
        Assert.Equal(100, (int)(await Done(await Send(host, "/sync", many[..100])))["succeeded"]!);
    }

    [Fact]
    public async Task An_id_is_bound_to_its_operation_and_its_caller()
    {
        var host = Start();
        await Done(await Send(host, "/sync", Order));

        var other = await Done(await Send(host, "/sync", Order.Replace(":2}", ":3}", StringComparison.Ordinal)));
        var stranger = await Done(await Send(host, "/sync", [Order], "u-1002"));

        await Done(await Send(host, "/sync", Read));
        var otherType = await Done(
            await Send(host, "/sync", Read.Replace("notification.read", "profile.change", StringComparison.Ordinal))
        );

        Assert.Equal([("op-1", 422)], Results(other));
        Assert.Equal("idempotency_mismatch", (string?)otherType["results"]![0]!["error"]!["code"]);
        Assert.Equal("idempotency_mismatch", (string?)other["results"]![0]!["error"]!["code"]);
        Assert.Equal([("op-1", 201)], Results(stranger));
    }

    [Fact]
    public async Task An_unavailable_service_fails_only_its_own_operations_and_the_changes()
    {
        var host = Start();
        var since = (string)(await Ok(await host.Get("/sync")))["next"]!;
        Upstream.Orders.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 500 });

        var answer = await Done(await Send(host, "/sync?since=" + since, Order, Change));

        Assert.Equal([("op-1", 502), ("op-3", 200)], Results(answer));
        Assert.True(answer["orders"] is null && (string?)answer["next"] == since && (bool)answer["hasMore"]!);
        Assert.Equal("""{"orders":"failed"}""", answer["_meta"]!["degraded"]!.ToJsonString());

        Upstream.Orders.Faults.Set(FaultMode.None);
        // The service recognises a known operation by its key.
        var repeated = await Done(await Send(host, "/sync?since=" + since, Order, Change));
        Assert.Equal([("op-1", 201), ("op-3", 200)], Results(repeated));
        Assert.All(Upstream.Orders.Calls.All.Where(c => c.Method == "POST"), c => Assert.Equal("op-1", c.Header("Idempotency-Key")));
        Assert.Single(Upstream.Users.Calls.All, c => c.Method == "PATCH");
    }

    [Fact]
    public async Task Each_operation_is_charged_and_is_not_begun_when_the_bucket_is_empty()
    {
        var host = Start(
            new()
            {
                ["Plans:free:RequestsPerMinute"] = "1",
                ["Plans:free:Burst"] = "3",
                ["Plans:premium:RequestsPerMinute"] = "1",
                ["Plans:premium:Burst"] = "3",
            }
        );
        await Done(await Send(host, "/sync", Read, Read.Replace("op-2", "op-4", StringComparison.Ordinal)));

        await Problem(await Send(host, "/sync", Order, Change), 429, "rate_limit_exceeded");

        Assert.Equal(0, Upstream.Orders.Calls.All.Count(c => c.Method == "POST"));
    }

    [Fact]
    public async Task An_operation_is_refused_where_its_endpoint_would_be()
    {
        var host = Start(new() { ["Tenants:acme:AllowedEndpoints:0"] = "/sync", ["Tenants:acme:AllowedEndpoints:1"] = "/me" });
        using var request = host.Request(HttpMethod.Post, "/sync", user: null);
        request.Headers.Authorization = new(
            "Bearer",
            Surroundings.Identity.MintToken(
                new TokenRequest
                {
                    Sub = "u-1001",
                    Scope = "api",
                    Extra = new JsonObject { ["tid"] = "acme" },
                }
            )
        );
        request.Content = Content($$"""{"operations":[{{Order}},{{Change}}]}""");

        var answer = await Done(await host.Client.SendAsync(request));

        Assert.Equal([("op-1", 403), ("op-3", 200)], Results(answer));
        Assert.Equal(0, Upstream.Orders.Calls.All.Count(c => c.Method == "POST"));
    }

    [Fact]
    public async Task Operations_that_depend_on_a_failure_are_done_when_a_repeat_succeeds()
    {
        var host = Start();
        const string Then = """{"id":"op-4","type":"notification.read","body":{"id":"n-1001-12"},"after":["op-3"]}""";
        Upstream.Users.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 500 });
        Assert.Equal([("op-3", 502), ("op-4", 424)], Results(await Done(await Send(host, "/sync", Change, Then))));
        Assert.Equal(0, Upstream.Notifications.Calls.All.Count(c => c.Method == "POST"));

        Upstream.Users.Faults.Heal();

        Assert.Equal([("op-3", 200), ("op-4", 204)], Results(await Done(await Send(host, "/sync", Change, Then))));
        Assert.Single(Upstream.Notifications.Calls.All, c => c.Method == "POST");
    }

    [Fact]
    public async Task A_client_that_disconnects_sends_all_operations_again_and_none_is_done_twice()
    {
        var host = Start();
        using var gone = new CancellationTokenSource();
        var held = Upstream.Users.Faults.Hold();
        var call = Send(host, "/sync", [Order, Change, Read], "u-1001", gone.Token);
        var cut = await Upstream.Users.Calls.FirstAsync(c => c.Method == "PATCH").WaitAsync(WaitLimit);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.True(await cut.Ended.WaitAsync(WaitLimit));
        Assert.Equal(0, Upstream.Notifications.Calls.All.Count(c => c.Method == "POST"));
        held.Dispose();

        // The lock of the interrupted operation is released a moment later.
        JsonObject again = null!;
        await Eventually.True(async () =>
            Results(again = await Done(await Send(host, "/sync", Order, Change, Read))).TrueForAll(r => r.Status != 409)
        );

        Assert.Equal([("op-1", 201), ("op-3", 200), ("op-2", 204)], Results(again));
        Assert.Single(Upstream.Orders.Calls.All, c => c.Method == "POST");
        Assert.Equal(2, Upstream.Users.Calls.All.Count(c => c.Method == "PATCH")); // Applying the same change twice is harmless.
        Assert.Single(Upstream.Notifications.Calls.All, c => c.Method == "POST");
    }

    [Fact]
    public async Task An_operation_that_is_not_begun_in_time_is_not_sent()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = Start(
            new() { ["Upstreams:users:Retries"] = "0", ["Upstreams:users:Breaker:MinimumThroughput"] = "1000" },
            s => s.AddSingleton<TimeProvider>(clock)
        );
        using var held = Upstream.Users.Faults.Hold();
        var operations = Enumerable.Range(0, 8).Select(i => Change.Replace("op-3", $"slow-{i}", StringComparison.Ordinal)).ToArray();
        var call = Send(host, "/sync", operations);
        for (var i = 0; i < 6; i++)
        {
            await Eventually.True(() => Upstream.Users.Calls.All.Count(c => c.Method == "PATCH") == i + 1, WaitLimit);
            clock.Advance(TimeSpan.FromSeconds(5)); // The time limit of one operation.
        }

        var answer = await Done(await call.WaitAsync(WaitLimit));

        Assert.All(Results(answer), r => Assert.Equal(504, r.Status));
        Assert.All(answer["results"]!.AsArray(), r => Assert.Equal("upstream_timeout", (string?)r!["error"]!["code"]));
        Assert.Equal(6, Upstream.Users.Calls.All.Count(c => c.Method == "PATCH"));
        Assert.NotNull(answer["orders"]); // The changes have a time limit of their own.
    }

    [Fact]
    public void An_id_is_known_for_seven_days() =>
        Assert.Equal(TimeSpan.FromDays(7), Start().Services.GetRequiredService<IOptions<IdempotencyOptions>>().Value.Retention);

    [RedisFact]
    public async Task A_hundred_copies_at_once_on_three_instances_do_each_operation_once()
    {
        using var redis = RedisServer.Run();
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString };
        MobileHost[] hosts = [Start(settings), Start(settings), Start(settings)];

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(async i => await Done(await Send(hosts[i % 3], "/sync", Order, Change)))
        );

        Assert.All(answers, a => Assert.Contains(Results(a)[0].Status, (int[])[201, 409]));
        Assert.All(answers, a => Assert.Contains(Results(a)[1].Status, (int[])[200, 409]));
        Assert.Contains(answers, a => Results(a)[0].Status == 201);
        Assert.Single(Upstream.Orders.Calls.All, c => c.Method == "POST");
        Assert.Single(Upstream.Users.Calls.All, c => c.Method == "PATCH");
        Assert.Equal([("op-1", 201), ("op-3", 200)], Results(await Done(await Send(hosts[1], "/sync", Order, Change))));
        var record = redis.Command("KEYS", "bff:idem:*").Split("\r\n").First(l => l.StartsWith("bff:idem:", StringComparison.Ordinal));
        Assert.InRange(long.Parse(redis.Command("PTTL", record).Trim(':', '\r', '\n'), null), 6 * 86_400_000L, 7 * 86_400_000L);
    }

    [RedisFact]
    public async Task Losing_Redis_leaves_operations_that_were_not_sent_to_a_repeat()
    {
        using var redis = RedisServer.Run();
        var host = Start(new() { ["ConnectionStrings:redis"] = redis.ConnectionString, ["State:Timeout"] = "00:00:00.250" });
        await Eventually.True(() => host.Services.GetRequiredService<RedisState>().IsAvailable, WaitLimit);
        var held = Upstream.Orders.Faults.Hold();
        var call = Send(host, "/sync", Order, Change);
        await Upstream.Orders.Calls.FirstAsync(c => c.Method == "POST").WaitAsync(WaitLimit);

        redis.Stop();
        held.Dispose();

        var answer = await Done(await call.WaitAsync(WaitLimit));
        Assert.Equal([("op-1", 201), ("op-3", 503)], Results(answer)); // A done operation is reported even if its result cannot be stored.
        Assert.Equal("store_unavailable", (string?)answer["results"]![1]!["error"]!["code"]);
        Assert.Equal(0, Upstream.Users.Calls.All.Count(c => c.Method == "PATCH"));
        Assert.NotNull(answer["orders"]);

        redis.Start();
        await Eventually.True(() => host.Services.GetRequiredService<RedisState>().IsAvailable, WaitLimit);
        JsonObject again = null!;
        await Eventually.True(
            async () => Results(again = await Done(await Send(host, "/sync", Order, Change))).TrueForAll(r => r.Status is 200 or 201),
            WaitLimit
        );
        Assert.Equal((string)answer["results"]![0]!["result"]!["id"]!, (string)again["results"]![0]!["result"]!["id"]!);
        Assert.All(Upstream.Orders.Calls.All.Where(c => c.Method == "POST"), c => Assert.Equal("op-1", c.Header("Idempotency-Key")));
        Assert.Single(Upstream.Users.Calls.All, c => c.Method == "PATCH");
    }

    private static List<(string Id, int Status)> Results(JsonObject answer) =>
        [.. answer["results"]!.AsArray().Select(r => ((string)r!["id"]!, (int)r["status"]!))];

    private static StringContent Content(string body) => new(body, Encoding.UTF8, "application/json");

    private static Task<HttpResponseMessage> Send(MobileHost host, string path, params string[] operations) =>
        Send(host, path, operations, "u-1001");

    private static Task<HttpResponseMessage> Send(
        MobileHost host,
        string path,
        string[] operations,
        string user,
        CancellationToken cancellation = default
    ) => SendText(host, path, $$"""{"operations":[{{string.Join(',', operations)}}]}""", user, cancellation);

    private static async Task<HttpResponseMessage> SendText(
        MobileHost host,
        string path,
        string body,
        string user = "u-1001",
        CancellationToken cancellation = default
    )
    {
        using var request = host.Request(HttpMethod.Post, path, user);
        request.Content = Content(body);
        return await host.Client.SendAsync(request, cancellation);
    }

    private static async Task<JsonObject> Done(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.MultiStatus, $"{(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!.AsObject();
    }
}
