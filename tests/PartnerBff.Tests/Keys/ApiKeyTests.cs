using System.Diagnostics;
using Bff.Audit;
using Microsoft.Extensions.DependencyInjection;

namespace PartnerBff.Tests.Keys;

public sealed class ApiKeyTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    private static JsonObject NewKey(string mode = "live", params string[] scopes) =>
        new()
        {
            ["name"] = "ci",
            ["mode"] = mode,
            ["scopes"] = new JsonArray([.. (scopes.Length == 0 ? ["orders.read"] : scopes).Select(s => (JsonNode)s)]),
        };

    [RedisFact]
    public async Task A_key_is_created_and_revoked_on_every_instance()
    {
        var redis = StartRedis();
        var (one, two) = (Start(redis: redis), Start(redis: redis));
        await Connected(one);
        await Connected(two);
        var made = await Json(await Send(one, HttpMethod.Post, "/v1/api-keys", AcmeKey, NewKey()), 201);
        var key = (string)made["key"]!;
        Assert.True(ApiKeyFormat.IsValid(key));
        Assert.Equal((key[^4..], "live", "ci"), ((string)made["last_four"]!, (string)made["mode"]!, (string)made["name"]!));
        Assert.StartsWith((string)made["prefix"]!, key, StringComparison.Ordinal);
        await Json(await Get(one, "/v1/orders", key));
        await Json(await Get(two, "/v1/orders", key));
        await Problem(await Get(two, "/v1/api-keys", key), 403, "insufficient_scope");
        var listed = await Json(await Get(two, "/v1/api-keys", AcmeKey));
        Assert.Null(listed["data"]!.AsArray().Single()!["key"]);
        Assert.Empty((await Json(await Get(two, "/v1/api-keys", GlobexKey)))["data"]!.AsArray());
        await Problem(await Send(two, HttpMethod.Delete, "/v1/api-keys/" + made["id"], GlobexKey), 404, "not_found");

        await IsRefusedWithinOneSecond(
            "/v1/orders",
            key,
            (string)made["id"]!,
            async () =>
                Assert.Equal(
                    HttpStatusCode.NoContent,
                    (await Send(one, HttpMethod.Delete, "/v1/api-keys/" + made["id"], AcmeKey)).StatusCode
                ),
            one,
            two
        );
    }

    [Fact]
    public async Task A_rotated_key_stays_valid_for_the_overlap()
    {
        var host = Start();
        var made = await Json(await Send(host, HttpMethod.Post, "/v1/api-keys", AcmeKey, NewKey()), 201);
        var rotated = await Json(
            await Send(host, HttpMethod.Post, $"/v1/api-keys/{made["id"]}/rotate", AcmeKey, new JsonObject { ["overlap_seconds"] = 600 }),
            201
        );
        Assert.NotNull(rotated["previous_expires_at"]);
        await Json(await Get(host, "/v1/orders", (string)made["key"]!));
        await Json(await Get(host, "/v1/orders", (string)rotated["key"]!));
        await Json(
            await Send(host, HttpMethod.Post, $"/v1/api-keys/{rotated["id"]}/rotate", AcmeKey, new JsonObject { ["overlap_seconds"] = 0 }),
            201
        );
        await Problem(await Get(host, "/v1/orders", (string)rotated["key"]!), 401, "invalid_api_key");
        await Problem(await Send(host, HttpMethod.Post, $"/v1/api-keys/{rotated["id"]}/rotate", AcmeKey), 404, "not_found");
    }

    [Theory, InlineData(null), InlineData("9999-12-31T23:59:59Z"), InlineData("2999-01-01T00:00:00Z")]
    public async Task A_key_that_is_rotated_again_because_the_answer_was_lost_does_not_end_with_the_overlap(string? expiresAt)
    {
        var host = Start();
        var wanted = NewKey();
        wanted["expires_at"] = expiresAt;
        var made = await Json(await Send(host, HttpMethod.Post, "/v1/api-keys", AcmeKey, wanted), 201);
        var lost = await Json(
            await Send(host, HttpMethod.Post, $"/v1/api-keys/{made["id"]}/rotate", AcmeKey, new JsonObject { ["overlap_seconds"] = 600 }),
            201
        );
        var again = await Json(
            await Send(host, HttpMethod.Post, $"/v1/api-keys/{made["id"]}/rotate", AcmeKey, new JsonObject { ["overlap_seconds"] = 600 }),
            201
        );
        Assert.Equal((expiresAt, expiresAt), ((string?)lost["expires_at"], (string?)again["expires_at"]));
        Assert.Equal((string?)lost["previous_expires_at"], (string?)again["previous_expires_at"]); // The first promise stands.
        Assert.NotEqual((string)lost["key"]!, (string)again["key"]!);
        await Json(await Get(host, "/v1/orders", (string)again["key"]!));
    }

    [Fact]
    public async Task A_mistyped_key_makes_no_look_up_and_an_unknown_one_a_single_one()
    {
        var store = new CountingStore();
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow); // An unknown key is remembered for five seconds.
        var host = Start(services: services => services.AddSingleton<IApiKeyStore>(store).AddSingleton<TimeProvider>(clock));
        var unknown = ApiKeyFormat.New(isTest: false);
        var mistyped = unknown[..^1] + (unknown[^1] == 'x' ? 'y' : 'x');
        await Problem(await Get(host, "/v1/orders", mistyped), 401, "invalid_api_key");
        await Problem(await Get(host, "/v1/orders", "pk_live_short"), 401, "invalid_api_key");
        Assert.Equal(0, store.LookUps);
        for (var i = 0; i < 5; i++)
        {
            await Problem(await Get(host, "/v1/orders", unknown), 401, "invalid_api_key");
        }

        Assert.Equal(1, store.LookUps);
    }

    [Fact]
    public async Task A_test_key_sees_the_sandbox_and_nothing_live()
    {
        var host = Start();
        var test = (string)(await MakeKey(host, AcmeKey, "test", "orders.read", "orders.write", "keys.manage"))["key"]!;
        Assert.StartsWith("pk_test_", test, StringComparison.Ordinal);
        var order = await Json(await Send(host, HttpMethod.Post, "/v1/orders", test, Order(reference: "sandboxed"), "k"), 201);
        Assert.Equal((0, 1), (Placed(Upstream), Placed(Sandbox)));
        await Json(await Get(host, "/v1/orders/" + order["id"], test));
        // The live idempotency key of the same name is another key.
        await Json(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(quantity: 3), "k"), 201);
        var live = await Json(await Get(host, "/v1/orders?limit=100", AcmeKey));
        Assert.DoesNotContain(live["data"]!.AsArray(), o => (string?)o!["reference"] == "sandboxed");
        await Problem(await Send(host, HttpMethod.Post, "/v1/api-keys", test, NewKey("live")), 403, "forbidden");
        Assert.All((await Json(await Get(host, "/v1/api-keys", test)))["data"]!.AsArray(), k => Assert.Equal("test", (string?)k!["mode"]));
        var cursor = (await Json(await Get(host, "/v1/orders?limit=1", AcmeKey)))["next_cursor"];
        await Problem(await Get(host, "/v1/orders?cursor=" + cursor, test), 400, "invalid_cursor");
    }

    [Fact]
    public async Task A_test_keys_passed_through_requests_stay_in_the_sandbox_too()
    {
        var host = Start(new() { ["ApiKeys:Bootstrap:acme"] = AcmeTestKey });
        await Get(host, "/v1/shipments?orderId=o-5001", AcmeTestKey);
        Assert.Equal((0, 1), (Upstream.Shipping.Calls.Count, Sandbox.Shipping.Calls.Count));
    }

    [Fact]
    public async Task Without_a_sandbox_a_test_key_is_refused()
    {
        var none = Sandbox.All.ToDictionary(s => $"Sandbox:Upstreams:{s.Name}:Address", _ => (string?)null);
        foreach (var service in Sandbox.All)
        {
            none[$"Sandbox:Upstreams:{service.Name}:Timeout"] = null;
        }

        none["ApiKeys:Bootstrap:acme"] = AcmeTestKey;
        var host = Start(none);
        await Problem(await Get(host, "/v1/orders", AcmeTestKey), 503, "upstream_unavailable");
        Assert.Equal(0, Upstream.Orders.Calls.Count);
    }

    [RedisFact]
    public async Task A_revocation_that_was_missed_is_noticed_once_the_store_is_back()
    {
        var redis = StartRedis();
        var host = Start(redis: redis, settings: new() { ["Plans:enterprise:OnStoreFailure"] = "Local" });
        await Connected(host);
        var key = (string)
            (await Json(await Send(host, HttpMethod.Post, "/v1/api-keys", AcmeKey, NewKey("live", "products.read")), 201))["key"]!;
        await Json(await Get(host, "/v1/products/p-1", key));
        var record = redis.Command("KEYS", "bff:apikey:*").Split("\r\n")[2];
        redis.Command("DEL", record); // No message tells the host, as when the message was lost.
        await Json(await Get(host, "/v1/products/p-1", key));
        redis.Stop();
        await Json(await Get(host, "/v1/products/p-1", key));
        redis.Start();
        var since = Stopwatch.StartNew();
        while ((await Get(host, "/v1/products/p-1", key)).StatusCode != HttpStatusCode.Unauthorized)
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(25), "The key was not confirmed after the reconnection."); // Without it: 30 s.
            await Task.Delay(20);
        }
    }

    [Fact]
    public async Task A_key_is_taken_from_either_header_but_two_that_differ_are_refused()
    {
        var host = Start();
        Assert.Equal(HttpStatusCode.OK, (await WithHeaders(host, null, AcmeKey)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await WithHeaders(host, AcmeKey, AcmeKey)).StatusCode);
        await Problem(await WithHeaders(host, AcmeKey, GlobexKey), 401, "invalid_api_key");
        await Problem(await WithHeaders(host, Surroundings.Token(), AcmeKey), 401, "invalid_api_key");
        await Problem(await WithHeaders(host, null, "nonsense"), 401, "invalid_api_key");
        var cookie = new HttpRequestMessage(HttpMethod.Get, "/v1/orders");
        cookie.Headers.Add("Cookie", "X-API-Key=" + AcmeKey);
        var refused = await host.Client.SendAsync(cookie);
        await Problem(refused, 401, "missing_token");
        Assert.NotEmpty(refused.Headers.WwwAuthenticate);
    }

    [Fact]
    public async Task The_request_for_a_new_key_is_validated()
    {
        var host = Start();
        var problem = await Problem(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/api-keys",
                AcmeKey,
                new JsonObject
                {
                    ["name"] = " ",
                    ["scopes"] = new JsonArray("everything"),
                    ["mode"] = "prod",
                    ["expires_at"] = "2020-01-01T00:00:00Z",
                }
            ),
            400,
            "validation_failed"
        );
        Assert.Equal(
            ["expires_at", "mode", "name", "scopes"],
            problem["errors"]!.AsObject().Select(e => e.Key).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("2999-01-01T00:00:00")]
    [InlineData("2999-01-01")]
    [InlineData("2999-01-01T00:00")]
    [InlineData("2999-01-01 00:00:00Z")]
    [InlineData("1/2/2999")]
    public async Task The_expiry_of_a_key_is_the_same_wherever_it_is_read(string end)
    {
        var host = Start();
        var wanted = NewKey();
        wanted["expires_at"] = end;

        var problem = await Problem(await Send(host, HttpMethod.Post, "/v1/api-keys", AcmeKey, wanted), 400, "validation_failed");

        Assert.Contains("with an offset", (string)problem["errors"]!["expires_at"]![0]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2999-01-01T02:00:00+02:00")]
    [InlineData("2999-01-01T00:00:00.000Z")]
    public async Task The_expiry_of_a_key_may_have_any_offset(string end)
    {
        var host = Start();
        var wanted = NewKey();
        wanted["expires_at"] = end;

        var made = await Json(await Send(host, HttpMethod.Post, "/v1/api-keys", AcmeKey, wanted), 201);

        Assert.Equal("2999-01-01T00:00:00Z", (string?)made["expires_at"]);
    }

    [Theory]
    [InlineData(100, 201)]
    [InlineData(101, 400)]
    public async Task The_length_of_a_name_is_counted_in_characters(int characters, int status)
    {
        var key = NewKey();
        key["name"] = string.Concat(Enumerable.Repeat("\U0001F600", characters));

        using var answer = await Send(Start(), HttpMethod.Post, "/v1/api-keys", AcmeKey, key);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("010.0.0.1")]
    [InlineData("10.1")]
    [InlineData("010.0.0.0/8")]
    public async Task An_ambiguous_address_is_refused(string address)
    {
        var key = NewKey();
        key["allowed_addresses"] = new JsonArray(address);

        var problem = await Problem(await Send(Start(), HttpMethod.Post, "/v1/api-keys", AcmeKey, key), 400, "validation_failed");

        Assert.Equal(["allowed_addresses"], problem["errors"]!.AsObject().Select(e => e.Key));
    }

    [RedisFact]
    public async Task Known_keys_work_while_the_store_is_unavailable_and_no_key_is_ever_logged()
    {
        var redis = StartRedis();
        var host = Start(redis: redis, settings: new() { ["Plans:enterprise:OnStoreFailure"] = "Local" });
        await Connected(host);
        var key = (string)(await Json(await Send(host, HttpMethod.Post, "/v1/api-keys", AcmeKey, NewKey()), 201))["key"]!;
        await Problem(await Get(host, "/v1/orders/o-1", key), 404, "not_found");
        redis.Stop();
        Assert.Equal(HttpStatusCode.OK, (await Get(host, "/v1/products/p-1", AcmeKey)).StatusCode); // A key of the configuration.
        Assert.Equal(HttpStatusCode.NotFound, (await Get(host, "/v1/orders/o-1", key)).StatusCode); // A remembered key.
        await Problem(await Get(host, "/v1/orders/o-1", ApiKeyFormat.New(isTest: false)), 503, "store_unavailable"); // An unknown key.
        Assert.DoesNotContain(
            host.Log.Entries,
            e => e.Message.Contains(key, StringComparison.Ordinal) || e.Message.Contains(AcmeKey, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Without_a_pepper_the_host_does_not_start_in_Production()
    {
        var settings = new Dictionary<string, string?>(Surroundings.GatewaySettings) { ["State:AllowEmbedded"] = "true" };
        var refused = Assert.ThrowsAny<Exception>(() => PartnerHost.Start(Surroundings, settings, environment: "Production"));
        Assert.Contains("ApiKeys:Pepper", refused.ToString(), StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> WithHeaders(PartnerHost host, string? bearer, string named)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/products?limit=1");
        request.Headers.Add("X-API-Key", named);
        if (bearer is not null)
        {
            request.Headers.Authorization = new("Bearer", bearer);
        }

        return host.Client.SendAsync(request);
    }

    private sealed class CountingStore : IApiKeyStore
    {
        public int LookUps;

        public event Action<string>? Changed
        {
            add { }
            remove { }
        }

        public ValueTask<ApiKeyRecord?> Find(string hash, CancellationToken cancellation)
        {
            Interlocked.Increment(ref LookUps);
            return default;
        }

        public ValueTask<IReadOnlyList<ApiKeyRecord>> List(string tenant, CancellationToken cancellation) => new([]);

        public ValueTask Add(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) => default;

        public ValueTask<bool> Replace(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) =>
            default;

        public ValueTask Remove(ApiKeyRecord key, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null) => default;

        public ValueTask<IReadOnlyList<string>> Touch(
            string tenant,
            IReadOnlyCollection<KeyValuePair<string, DateTimeOffset>> uses,
            CancellationToken cancellation
        ) => new([]);

        public ValueTask<bool> Relist(ApiKeyRecord key, CancellationToken cancellation) => default;
    }
}
