using Microsoft.Extensions.DependencyInjection;

namespace PartnerBff.Tests.Orders;

public sealed class BatchTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    private static JsonObject Batch(params JsonObject[] orders) => new() { ["orders"] = new JsonArray([.. orders]) };

    [Fact]
    public async Task Each_order_succeeds_or_fails_by_itself_in_the_order_of_the_request()
    {
        var host = Start();
        var answer = await Json(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/orders/batch",
                AcmeKey,
                Batch(Order(reference: "a"), Order("p-nope", reference: "b"), Order(quantity: 0, reference: "c"), Order(reference: "d")),
                "b-1"
            ),
            207
        );
        Assert.Equal((2, 2), ((int)answer["succeeded"]!, (int)answer["failed"]!));
        var results = answer["results"]!.AsArray();
        Assert.Equal([0, 1, 2, 3], results.Select(r => (int)r!["index"]!));
        Assert.Equal(["a", "b", "c", "d"], results.Select(r => (string)r!["reference"]!));
        Assert.Equal([201, 422, 400, 201], results.Select(r => (int)r!["status"]!));
        Assert.Equal("a", (string?)results[0]!["order"]!["reference"]);
        Assert.Null(results[0]!["error"]);
        Assert.Equal("validation_failed", (string?)results[2]!["error"]!["code"]);
        Assert.NotNull(results[2]!["error"]!["errors"]!["quantity"] ?? results[2]!["error"]!["errors"]!["items[0].quantity"]);

        var replay = await Send(
            host,
            HttpMethod.Post,
            "/v1/orders/batch",
            AcmeKey,
            Batch(Order(reference: "a"), Order("p-nope", reference: "b"), Order(quantity: 0, reference: "c"), Order(reference: "d")),
            "b-1"
        );
        Assert.True(replay.Headers.Contains("Idempotent-Replayed"));
        Assert.Equal(answer.ToJsonString(), (await Json(replay, 207)).ToJsonString());
        Assert.Equal(3, Placed(Upstream));
    }

    [Fact]
    public async Task A_repeat_after_failures_sends_only_what_is_missing()
    {
        var host = Start(new() { ["Upstreams:orders:Retries"] = "0" });
        var orders = Enumerable.Range(0, 10).Select(i => Order(reference: "r" + i)).ToArray();
        Upstream.Orders.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Status,
                Status = 500,
                Method = "POST",
                Count = 3,
            }
        );
        var first = await Json(await Send(host, HttpMethod.Post, "/v1/orders/batch", AcmeKey, Batch(orders), "b"), 207);
        Assert.Equal((7, 3), ((int)first["succeeded"]!, (int)first["failed"]!));
        Assert.Equal(10, Placed(Upstream));

        var second = await Json(
            await Send(host, HttpMethod.Post, "/v1/orders/batch", AcmeKey, Batch([.. orders.Select(o => o.DeepClone().AsObject())]), "b"),
            207
        );
        Assert.Equal((10, 0), ((int)second["succeeded"]!, (int)second["failed"]!));
        Assert.Equal(13, Placed(Upstream));
        Assert.All(
            first["results"]!.AsArray().Where(r => (int)r!["status"]! == 201),
            r => Assert.Equal((string?)r!["order"]!["id"], (string?)second["results"]![(int)r["index"]!]!["order"]!["id"])
        );
    }

    [Fact]
    public async Task A_batch_that_is_cut_off_is_finished_by_its_repeat_and_no_order_is_placed_twice()
    {
        var host = Start();
        var orders = Enumerable.Range(0, 100).Select(i => Order(reference: "cut" + i)).ToArray();
        using var cut = new CancellationTokenSource();
        using var held = HoldAfter(50);
        var cutOff = Send(host, HttpMethod.Post, "/v1/orders/batch", AcmeKey, Batch(orders), "cut", cancellation: cut.Token);
        await Upstream.Orders.Calls.ReachAsync(50).WaitAsync(WaitLimit);
        await cut.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cutOff);
        held.Dispose();
        Assert.InRange(Placed(Upstream), 50, 99);

        HttpResponseMessage repeat;
        do
        {
            repeat = await Send(
                host,
                HttpMethod.Post,
                "/v1/orders/batch",
                AcmeKey,
                Batch([.. orders.Select(o => o.DeepClone().AsObject())]),
                "cut"
            );
        } while (repeat.StatusCode == HttpStatusCode.Conflict); // Until the instance has noticed that the client is gone.
        var answer = await Json(repeat, 207);
        Assert.Equal(100, (int)answer["succeeded"]!);
        var all = (await Json(await Get(host, "/v1/orders?limit=100", AcmeKey)))["data"]!.AsArray();
        Assert.Equal(100, all.Select(o => (string?)o!["reference"]).Count(r => r?.StartsWith("cut", StringComparison.Ordinal) == true));
    }

    [Fact]
    public async Task The_service_sees_a_few_orders_of_a_batch_at_a_time()
    {
        // The clock stands still, so no order times out.
        var host = Start(services: services => services.AddSingleton<TimeProvider>(new ManualTimeProvider(DateTimeOffset.UtcNow)));
        using var held = Upstream.Orders.Faults.Hold("/orders");
        var batch = Send(
            host,
            HttpMethod.Post,
            "/v1/orders/batch",
            AcmeKey,
            Batch([.. Enumerable.Range(0, 30).Select(i => Order(reference: "r" + i))]),
            "b"
        );
        await Upstream.Orders.Calls.ReachAsync(8).WaitAsync(WaitLimit);
        Assert.Equal(8, Placed(Upstream));
        held.Dispose();
        Assert.Equal(30, (int)(await Json(await batch, 207))["succeeded"]!);
    }

    [Fact]
    public async Task A_batch_costs_one_unit_per_order_and_has_one_to_a_hundred_orders()
    {
        var host = Start(
            new()
            {
                ["Plans:small:RequestsPerMinute"] = "1",
                ["Plans:small:Burst"] = "10",
                ["Tenants:acme:Plan"] = "small",
            }
        );
        await Problem(await Send(host, HttpMethod.Post, "/v1/orders/batch", GlobexKey, Batch(), "none"), 400, "validation_failed");
        await Problem(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/orders/batch",
                GlobexKey,
                Batch([.. Enumerable.Range(0, 101).Select(_ => Order())]),
                "many"
            ),
            400,
            "validation_failed"
        );
        var answered = await Send(
            host,
            HttpMethod.Post,
            "/v1/orders/batch",
            AcmeKey,
            Batch([.. Enumerable.Range(0, 6).Select(_ => Order())]),
            "six"
        );
        await Json(answered, 207);
        Assert.Equal("4", answered.Headers.GetValues("X-RateLimit-Remaining").Single());
        await Problem(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/orders/batch",
                AcmeKey,
                Batch([.. Enumerable.Range(0, 6).Select(_ => Order())]),
                "six more"
            ),
            429,
            "rate_limit_exceeded"
        );
        Assert.Equal(6, Placed(Upstream));
    }
}
