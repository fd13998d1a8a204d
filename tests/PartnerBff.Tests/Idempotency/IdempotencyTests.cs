using Bff.Idempotency;
using Microsoft.Extensions.DependencyInjection;

namespace PartnerBff.Tests.Idempotency;

public sealed class IdempotencyTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public async Task A_repeat_gets_the_stored_answer_and_the_service_is_called_once()
    {
        var host = Start();
        var first = await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "\"key one\"");
        var second = await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "\"key one\"");
        Assert.False(first.Headers.Contains("Idempotent-Replayed"));
        Assert.Equal("true", second.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
        Assert.Equal(
            (first.StatusCode, first.Headers.Location, first.Content.Headers.ContentType),
            (second.StatusCode, second.Headers.Location, second.Content.Headers.ContentType)
        );
        Assert.NotEqual(first.Headers.GetValues("X-Request-Id").Single(), second.Headers.GetValues("X-Request-Id").Single());
        Assert.Equal(1, Placed(Upstream));
    }

    [Fact]
    public async Task Another_request_under_the_key_is_refused_and_another_tenants_key_is_another()
    {
        var host = Start();
        await Json(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k"), 201);
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(quantity: 2), "k"), 422, "idempotency_mismatch");
        await Problem(await Send(host, HttpMethod.Post, "/v2/orders", AcmeKey, Order(), "k"), 422, "idempotency_mismatch");
        var other = await Send(host, HttpMethod.Post, "/v1/orders", GlobexKey, Order(quantity: 2), "k");
        await Json(other, 201);
        Assert.False(other.Headers.Contains("Idempotent-Replayed"));
    }

    [Fact]
    public async Task A_key_is_required_and_has_a_form()
    {
        var host = Start();
        foreach (var key in (string?[])[null, new string('k', 256), "\"open"])
        {
            await Problem(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), key), 400, "idempotency_key_required");
        }

        Assert.Equal(0, Placed(Upstream));
    }

    [Fact]
    public async Task A_copy_of_a_running_request_gets_409()
    {
        var host = Start();
        using var held = Upstream.Orders.Faults.Hold("/orders");
        var arrived = Upstream.Orders.Calls.NextAsync();
        var first = Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k");
        await arrived.WaitAsync(WaitLimit);
        var copy = await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k");
        await Problem(copy, 409, "idempotency_in_flight");
        Assert.NotNull(copy.Headers.RetryAfter);
        held.Dispose();
        await Json(await first, 201);
    }

    [Fact]
    public async Task A_refusal_by_the_gateway_itself_leaves_the_key_free()
    {
        var host = Start();
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(quantity: 0), "k"), 400, "validation_failed");
        await Json(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(quantity: 1), "k"), 201);
    }

    [Fact]
    public async Task After_a_failure_the_request_goes_to_the_service_again_under_the_same_key()
    {
        var host = Start(new() { ["Upstreams:orders:Retries"] = "0" });
        Upstream.Orders.Faults.Set(
            new Fault
            {
                Mode = FaultMode.ResetMidBody,
                Method = "POST",
                Count = 1,
            }
        ); // The service has placed the order, but its answer is lost.
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k"), 502, "upstream_failed");
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(quantity: 2), "k"), 422, "idempotency_mismatch");
        var order = await Json(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k"), 201);
        var calls = Upstream.Orders.Calls.All.Where(c => c.Method == "POST").ToList();
        Assert.Equal(["k", "k"], calls.Select(c => c.Header("Idempotency-Key")));
        var replay = await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k");
        Assert.Equal(order.ToJsonString(), (await Json(replay, 201)).ToJsonString());
        Assert.Equal(2, Placed(Upstream));
    }

    [Fact]
    public async Task The_services_refusal_is_stored_but_not_its_conflict()
    {
        var host = Start();
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order("p-nope"), "k422"), 422, "unprocessable");
        var again = await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order("p-nope"), "k422");
        Assert.True(again.Headers.Contains("Idempotent-Replayed"));
        await Problem(again, 422, "unprocessable");
        Assert.Equal(1, Placed(Upstream));

        var order = await Json(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k"), 201);
        var cancel = $"/v1/orders/{order["id"]}/cancel";
        Upstream.Orders.SetStatus((string)order["id"]!, "shipped");
        await Problem(await Send(host, HttpMethod.Post, cancel, AcmeKey, key: "k409"), 409, "conflict");
        Upstream.Orders.SetStatus((string)order["id"]!, "paid");
        await Json(await Send(host, HttpMethod.Post, cancel, AcmeKey, key: "k409"));
    }

    [RedisFact]
    public async Task Only_one_of_a_hundred_racing_copies_reaches_the_service_though_clients_disconnect()
    {
        var redis = StartRedis();
        PartnerHost[] hosts = [Start(redis: redis), Start(redis: redis)];
        await Ready(hosts);
        var copies = Enumerable
            .Range(0, 100)
            .Select(async i =>
            {
                using var client = hosts[i % 2].NewClient();
                using var timeLimit = new CancellationTokenSource(i % 10 == 9 ? TimeSpan.FromMilliseconds(30 * (i / 10)) : WaitLimit);
                try
                {
                    while (true)
                    {
                        var response = await Send(
                            hosts[i % 2],
                            HttpMethod.Post,
                            "/v1/orders",
                            AcmeKey,
                            Order(),
                            "race",
                            client,
                            timeLimit.Token
                        );
                        if (response.StatusCode == HttpStatusCode.Created)
                        {
                            return await response.Content.ReadAsStringAsync(timeLimit.Token);
                        }

                        Assert.True(
                            response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests,
                            response.StatusCode.ToString()
                        );
                        await Task.Delay(50, timeLimit.Token); // Retry-After asks for a pause; this one is shorter.
                    }
                }
                catch (OperationCanceledException) when (i % 10 == 9)
                {
                    return null; // A client that went away.
                }
            });
        var answers = (await Task.WhenAll(copies)).OfType<string>().ToList();
        Assert.True(answers.Count >= 90);
        Assert.Single(answers.Distinct());
        var placed = await Json(await Get(hosts[0], "/v1/orders?limit=100", AcmeKey));
        var id = (string)JsonNode.Parse(answers[0])!["id"]!;
        Assert.Single(placed["data"]!.AsArray(), o => (string?)o!["id"] == id);
        Assert.Single(Upstream.Orders.Calls.All.Where(c => c is { Method: "POST" }).Select(c => c.Header("Idempotency-Key")).Distinct());
        Assert.True(Placed(Upstream) <= 1 + 10, "Only a copy whose client went away in the middle is sent again."); // With the same key.
    }

    [RedisFact]
    public async Task An_instance_that_dies_in_the_middle_leaves_the_key_to_the_next_under_the_same_key()
    {
        var redis = StartRedis();
        void ShortLease(IServiceCollection services) => services.Configure<IdempotencyOptions>(o => o.Lease = TimeSpan.FromSeconds(1));
        var (dying, living) = (Start(redis: redis, services: ShortLease), Start(redis: redis, services: ShortLease));
        await Ready(dying, living);

        // A dead instance neither renews nor releases its lock, so the test writes the lock that such an instance leaves behind.
        using var held = Upstream.Orders.Faults.Hold("/orders");
        var arrived = Upstream.Orders.Calls.NextAsync();
        var first = Send(dying, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k");
        await arrived.WaitAsync(WaitLimit);
        var name = redis.Command("KEYS", "bff:idem:*").Split("\r\n")[2];
        redis.Command("HSET", name, "o", "a-dead-owner"); // Nobody renews the lock from here on.
        held.Dispose();
        await Json(await first, 201); // The instance's own client is answered nevertheless.

        HttpResponseMessage next;
        while ((next = await Send(living, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k")).StatusCode == HttpStatusCode.Conflict)
        {
            await Problem(next, 409, "idempotency_in_flight");
            await Task.Delay(50);
        }

        Assert.Equal((string?)(await Json(await first, 201))["id"], (string?)(await Json(next, 201))["id"]);
        Assert.Equal(["k", "k"], Upstream.Orders.Calls.All.Where(c => c.Method == "POST").Select(c => c.Header("Idempotency-Key")));
    }

    [RedisFact]
    public async Task Without_the_store_nothing_is_sent()
    {
        var redis = StartRedis();
        var host = Start(redis: redis, settings: new() { ["Plans:enterprise:OnStoreFailure"] = "Local" });
        await Ready(host);
        redis.Stop();
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "k"), 503, "store_unavailable");
        Assert.Equal(0, Placed(Upstream));
    }

    private static async Task Ready(params PartnerHost[] hosts)
    {
        foreach (var host in hosts)
        {
            var redis = host.Services.GetRequiredService<Bff.State.RedisState>();
            while (!redis.IsAvailable)
            {
                await Task.Delay(20);
            }
        }
    }
}
