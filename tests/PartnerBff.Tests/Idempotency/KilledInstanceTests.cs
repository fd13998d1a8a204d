namespace PartnerBff.Tests.Idempotency;

/// <summary>Kills an instance in a process of its own in the middle of a write.</summary>
public sealed class KilledInstanceTests(SharedSurroundings surroundings) : PartnerTest(surroundings), IDisposable
{
    private readonly string _folder = GatewayProcess.NewFolder("PartnerBff");

    [RedisFact]
    public async Task Copies_that_race_over_two_instances_end_in_one_order_and_one_answer_though_an_instance_is_killed()
    {
        var (living, victim) = await StartTwo();
        await using var dying = victim;
        var client = dying.Client;

        using var held = Upstream.Orders.Faults.Hold("/orders");
        var arrived = Upstream.Orders.Calls.NextAsync();
        var first = Send(living, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "race", client);
        await arrived.WaitAsync(WaitLimit); // The instance that will die holds the key, and the service has the order.
        var copies = Enumerable.Range(0, 100).Select(i => SendUntilAnswered(living, i % 2 == 0 ? client : living.Client)).ToList();
        await dying.Kill();
        held.Dispose();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => first);
        var answers = await Task.WhenAll(copies).WaitAsync(WaitLimit);
        Assert.Single(answers.Distinct());
        var calls = Upstream.Orders.Calls.All.Where(c => c is { Method: "POST", Path: "/orders" }).ToList();
        // The dead instance's call, and one more by which the service recognises the order.
        Assert.Equal(["race", "race"], calls.Select(c => c.Header("Idempotency-Key")));
        var orders = (await Json(await Get(living, "/v1/orders?limit=100", AcmeKey)))["data"]!.AsArray();
        Assert.Single(orders, o => (string?)o!["id"] == (string?)JsonNode.Parse(answers[0])!["id"]);
    }

    [RedisFact]
    public async Task A_batch_of_a_hundred_on_a_killed_instance_is_finished_by_its_repeat_on_another()
    {
        var (living, victim) = await StartTwo();
        await using var dying = victim;
        var client = dying.Client;
        var references = Enumerable.Range(0, 100).Select(i => $"dies-{i:00}").ToList();
        JsonObject Batch() => new() { ["orders"] = new JsonArray([.. references.Select(r => (JsonNode)Order(reference: r))]) };

        using var held = HoldAfter(50);
        var first = Send(living, HttpMethod.Post, "/v1/orders/batch", AcmeKey, Batch(), "dies", client);
        await Upstream.Orders.Calls.ReachAsync(50).WaitAsync(WaitLimit);
        await dying.Kill();
        held.Dispose();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => first);
        var placed = Placed(Upstream);
        Assert.InRange(placed, 50, 99); // The instance died in the middle of the batch.

        JsonObject? answer = null;
        while (answer is null)
        {
            var repeat = await Send(living, HttpMethod.Post, "/v1/orders/batch", AcmeKey, Batch(), "dies");
            if (repeat.StatusCode != HttpStatusCode.Conflict)
            {
                answer = await Json(repeat, 207); // The first repeat that is admitted finishes the batch.
                break;
            }

            await Task.Delay(50); // The dead instance's claim on the batch has not expired yet.
        }

        Assert.Equal((100, 0), ((int)answer["succeeded"]!, (int)answer["failed"]!));
        Assert.Equal(references, answer["results"]!.AsArray().Select(r => (string)r!["order"]!["reference"]!));
        var orders = (await Json(await Get(living, "/v1/orders?limit=100", AcmeKey)))["data"]!.AsArray();
        Assert.Equal(
            references,
            orders
                .Select(o => (string?)o!["reference"])
                .Where(r => r?.StartsWith("dies-", StringComparison.Ordinal) == true)
                .Order(StringComparer.Ordinal)
        );
        Assert.InRange(Placed(Upstream), 100, 100 + 8); // Only orders in flight when the instance died are sent again, under the same key.
    }

    /// <summary>A well-behaved client: repeats under the same key until it has an answer, on the other instance when one is gone.</summary>
    private static async Task<string> SendUntilAnswered(PartnerHost living, HttpClient preferred)
    {
        while (true)
        {
            try
            {
                var response = await Send(living, HttpMethod.Post, "/v1/orders", AcmeKey, Order(), "race", preferred);
                if (response.StatusCode == HttpStatusCode.Created)
                {
                    return await response.Content.ReadAsStringAsync();
                }

                Assert.True(
                    response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests,
                    response.StatusCode.ToString()
                );
                await Task.Delay(500); // Retry-After asks for this pause.
            }
            catch (HttpRequestException)
            {
                preferred = living.Client;
            }
        }
    }

    private static async Task Until(Func<Task<bool>> holds)
    {
        while (!await holds())
        {
            await Task.Delay(50); // Another process cannot signal this one.
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Starts two instances that both answer: one survives, the other is to be killed.</summary>
    private async Task<(PartnerHost Living, GatewayProcess Dying)> StartTwo()
    {
        var redis = StartRedis();
        var (living, dying) = (Start(redis: redis), await StartProcess(redis));
        foreach (var client in (HttpClient[])[living.Client, dying.Client])
        {
            await Until(async () => (await Send(living, HttpMethod.Get, "/v1/account", AcmeKey, client: client)).IsSuccessStatusCode);
        }

        return (living, dying);
    }

    private Task<GatewayProcess> StartProcess(RedisServer redis) =>
        GatewayProcess.Start(
            "PartnerBff",
            Surroundings,
            _folder,
            ("ConnectionStrings:redis", redis.ConnectionString),
            ("ApiKeys:Bootstrap:acme", AcmeKey),
            ("Tenants:acme:Plan", "enterprise"),
            ("Composition:Deadline", "00:01:00"),
            ("Upstreams:orders:Timeout", "00:00:30")
        );
}
