using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Delivery;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Tests.Webhooks;

public sealed class DeliveryTests(SharedSurroundings surroundings) : WebhookTest(surroundings)
{
    [Fact]
    public async Task An_endpoint_gets_the_events_of_its_tenant_and_types_signed()
    {
        await using var receiver = await Receiver.Start();
        var host = StartForWebhooks();
        var all = await Create(host, receiver.Url + "/all");
        var orders = await Create(host, receiver.Url + "/orders", null, "order.*", "stock.low");
        await Create(host, receiver.Url + "/globex", GlobexKey);

        await Publish(host, "acme", "order.shipped", 1);
        await Publish(host, "acme", "price.changed", 2);
        await Publish(host, "acme", "stock.low", 3);

        await Until(() => receiver.All.Count == 5);
        Assert.Equal([1, 2, 3], receiver.All.Where(r => r.Path == "/all").Select(r => r.Number).Order());
        Assert.Equal([1, 3], receiver.All.Where(r => r.Path == "/orders").Select(r => r.Number).Order());
        Assert.Equal(5, receiver.All.Select(r => r.Id).Distinct().Count());
        Assert.All(receiver.All, r => Assert.True(Verifies(r, (string)(r.Path == "/all" ? all : orders)["secret"]!)));
        // Times have the same form everywhere in the API.
        Assert.All(receiver.All, r => Assert.EndsWith("Z", (string)JsonNode.Parse(r.Body)!["timestamp"]!, StringComparison.Ordinal));
        await Until(async () => (await Deliveries(host, orders)).All(d => (string)d["status"]! == "delivered"));
        Assert.Equal(204, (int)(await Deliveries(host, orders))[0]["attempts"]!.AsArray().Single()!["status_code"]!);
        Assert.Null((await Json(await Get(host, $"/v1/webhook-endpoints/{all["id"]}", AcmeKey)))["secret"]);
        await Problem(await Get(host, $"/v1/webhook-endpoints/{all["id"]}", GlobexKey), 404, "not_found");
    }

    [Fact]
    public async Task A_failed_attempt_is_repeated_on_schedule_with_the_same_id_and_listed_with_the_first_kibibyte()
    {
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = receiver.All.Count < 3 ? 302 : 200;
            context.Response.Headers.Location = receiver.Url + "/elsewhere";
            return context.Response.WriteAsync(new string('x', 5000));
        };
        var host = StartForWebhooks(
            new()
            {
                ["Webhooks:Schedule:0"] = "0",
                ["Webhooks:Schedule:1"] = "00:00:00.1",
                ["Webhooks:Schedule:2"] = "00:00:00.1",
                ["Webhooks:Schedule:3"] = "01:00:00",
            }
        );
        var endpoint = await Create(host, receiver.Url);
        await Publish(host, "acme");

        await Until(async () => (await Deliveries(host, endpoint)) is [var d] && (string)d["status"]! == "delivered");
        var delivery = (await Deliveries(host, endpoint)).Single();
        Assert.Equal([302, 302, 200], delivery["attempts"]!.AsArray().Select(a => (int)a!["status_code"]!));
        Assert.All(delivery["attempts"]!.AsArray(), a => Assert.Equal(1024, ((string)a!["response"]!).Length));
        Assert.Equal((string)delivery["id"]!, Assert.Single(receiver.All.Select(r => r.Id).Distinct()));
        Assert.All(receiver.All, r => Assert.Equal("/", r.Path));

        await Json(await Send(host, HttpMethod.Post, $"/v1/webhook-deliveries/{delivery["id"]}/retry", AcmeKey), 202);
        await Until(() => receiver.All.Count == 4);
        Assert.Equal((string)delivery["id"]!, receiver.All.Last().Id);
        await Problem(await Send(host, HttpMethod.Post, $"/v1/webhook-deliveries/{delivery["id"]}/retry", GlobexKey), 404, "not_found");
    }

    [Fact]
    public async Task When_the_schedule_is_over_the_delivery_has_failed()
    {
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var host = StartForWebhooks(new() { ["Webhooks:Schedule:0"] = "0", ["Webhooks:Schedule:1"] = "00:00:00.05" });
        var endpoint = await Create(host, receiver.Url);
        await Publish(host, "acme");
        await Until(async () => (await Deliveries(host, endpoint)) is [var d] && (string)d["status"]! == "failed");
        Assert.Equal(2, receiver.All.Count);
        Assert.Null((await Deliveries(host, endpoint)).Single()["next_attempt_at"]);
    }

    [Theory, InlineData(429), InlineData(503)]
    public async Task Retry_after_puts_the_next_attempt_off(int status)
    {
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "7200";
            return Task.CompletedTask;
        };
        var host = StartForWebhooks();
        var endpoint = await Create(host, receiver.Url);
        await Publish(host, "acme");
        await Until(async () => (await Deliveries(host, endpoint)) is [var d] && d["attempts"]!.AsArray().Count == 1);
        Assert.True(
            (DateTimeOffset)(await Deliveries(host, endpoint)).Single()["next_attempt_at"]! > DateTimeOffset.UtcNow.AddMinutes(100)
        );
    }

    [Theory, InlineData("410", "5.00:00:00"), InlineData("500", "00:00:00.001")]
    public async Task An_endpoint_that_is_gone_or_has_only_failed_for_long_is_disabled(string status, string disableAfter)
    {
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(int.Parse(status, System.Globalization.CultureInfo.InvariantCulture));
        var host = StartForWebhooks(
            new()
            {
                ["Webhooks:Schedule:0"] = "0",
                ["Webhooks:Schedule:1"] = "00:00:00.05",
                ["Webhooks:DisableAfter"] = disableAfter,
            }
        );
        var endpoint = await Create(host, receiver.Url);
        await Publish(host, "acme");
        await Until(async () => !(bool)(await Json(await Get(host, $"/v1/webhook-endpoints/{endpoint["id"]}", AcmeKey)))["enabled"]!);
        await Problem(await Send(host, HttpMethod.Post, $"/v1/webhook-endpoints/{endpoint["id"]}/test", AcmeKey), 409, "conflict");
    }

    [Fact]
    public async Task Enabling_an_endpoint_again_restarts_its_time_until_disabling()
    {
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var host = StartForWebhooks(new() { ["Webhooks:Schedule:0"] = "0", ["Webhooks:Schedule:1"] = "00:00:00.05" });
        var endpoint = await Create(host, receiver.Url);
        var store = host.Services.GetRequiredService<IWebhookStore>();
        var ago = DateTimeOffset.UtcNow.AddDays(-6);
        var failed = WebhookDispatcher.Delivery(
            (await store.Find("live:acme", (string)endpoint["id"]!, default))!,
            "e-1",
            "order.shipped",
            ago,
            "{}"u8.ToArray(),
            ago
        );
        await store.Note(failed with { Status = DeliveryStatus.Failed, NextAttemptAt = null }, false, ago, default);

        foreach (var enabled in (bool[])[false, true])
        {
            await Json(
                await Send(
                    host,
                    HttpMethod.Patch,
                    $"/v1/webhook-endpoints/{endpoint["id"]}",
                    AcmeKey,
                    new JsonObject { ["enabled"] = enabled }
                )
            );
        }

        await Publish(host, "acme");
        await Until(async () => (await Deliveries(host, endpoint)) is [var d] && (string)d["status"]! == "failed");
        Assert.Equal(2, receiver.All.Count);
        Assert.True((bool)(await Json(await Get(host, $"/v1/webhook-endpoints/{endpoint["id"]}", AcmeKey)))["enabled"]!);
    }

    [Fact]
    public async Task A_manual_retry_does_not_change_the_schedule()
    {
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var host = StartForWebhooks(new() { ["Webhooks:Schedule:0"] = "0", ["Webhooks:Schedule:1"] = "01:00:00" });
        var endpoint = await Create(host, receiver.Url);
        await Publish(host, "acme");
        var scheduled = await After(attempts: 1);

        for (var attempts = 2; attempts <= 3; attempts++)
        {
            await Retry();
            var again = await After(attempts);
            Assert.Equal(("pending", (string)scheduled["next_attempt_at"]!), ((string)again["status"]!, (string)again["next_attempt_at"]!));
        }

        foreach (var (answer, attempts, becomes) in ((int, int, string)[])[(204, 4, "delivered"), (500, 5, "failed")])
        {
            receiver.AnswerWith(answer);
            await Retry();
            var over = await After(attempts);
            Assert.Equal((becomes, null), ((string)over["status"]!, (string?)over["next_attempt_at"]));
        }

        async Task Retry() =>
            await Json(await Send(host, HttpMethod.Post, $"/v1/webhook-deliveries/{scheduled["id"]}/retry", AcmeKey), 202);

        async Task<JsonNode> After(int attempts)
        {
            JsonNode? delivery = null;
            await Until(async () =>
                (await Deliveries(host, endpoint)) is [var d] && (delivery = d)["attempts"]!.AsArray().Count == attempts
            );
            return delivery!;
        }
    }

    [Fact]
    public async Task While_secrets_overlap_both_sign()
    {
        await using var receiver = await Receiver.Start();
        var host = StartForWebhooks();
        var endpoint = await Create(host, receiver.Url);
        var rotated = await Json(
            await Send(
                host,
                HttpMethod.Post,
                $"/v1/webhook-endpoints/{endpoint["id"]}/rotate-secret",
                AcmeKey,
                new JsonObject { ["overlap_seconds"] = 600 }
            )
        );
        await Json(await Send(host, HttpMethod.Post, $"/v1/webhook-endpoints/{endpoint["id"]}/test", AcmeKey), 202);
        await Until(() => receiver.All.Count == 1);
        var test = receiver.All.Single();
        Assert.Equal("webhook.test", test.Type);
        Assert.NotEqual((string)endpoint["secret"]!, (string)rotated["secret"]!);
        Assert.True(Verifies(test, (string)endpoint["secret"]!) && Verifies(test, (string)rotated["secret"]!));

        var last = await Json(
            await Send(
                host,
                HttpMethod.Post,
                $"/v1/webhook-endpoints/{endpoint["id"]}/rotate-secret",
                AcmeKey,
                new JsonObject { ["overlap_seconds"] = 0 }
            )
        );
        await Json(await Send(host, HttpMethod.Post, $"/v1/webhook-endpoints/{endpoint["id"]}/test", AcmeKey), 202);
        await Until(() => receiver.All.Count == 2);
        var only = receiver.All.Last();
        Assert.True(Verifies(only, (string)last["secret"]!));
        Assert.False(Verifies(only, (string)endpoint["secret"]!) || Verifies(only, (string)rotated["secret"]!));
    }

    [Fact]
    public async Task Dead_endpoints_delay_no_live_one()
    {
        await using var dead = await Receiver.Start();
        await using var live = await Receiver.Start();
        var ended = 0;
        dead.Answer = async (received, context) =>
        {
            try
            {
                await Receiver.Hang(received, context);
            }
            finally
            {
                Interlocked.Increment(ref ended);
            }
        };
        var host = StartForWebhooks(new() { ["Webhooks:Timeout"] = "00:01:00" });
        for (var i = 0; i < 20; i++)
        {
            await Create(host, dead.Url);
        }

        await Create(host, live.Url);
        await Publish(host, "acme", "order.shipped", Enumerable.Range(0, 100));

        await Until(() => live.All.Count == 100);
        Assert.Equal(0, Volatile.Read(ref ended)); // The dead ones still hold their requests: no timeout was waited for.
        Assert.NotEmpty(dead.All);
        Assert.Equal(Enumerable.Range(0, 100), live.All.Select(r => r.Number).Order());
    }

    [RedisFact]
    public async Task Every_accepted_event_arrives_whatever_instance_dies()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        var settings = new Dictionary<string, string?> { ["Webhooks:Timeout"] = "00:00:05" };
        var hosts = new[] { StartForWebhooks(settings, redis), StartForWebhooks(settings, redis) };
        await Connected(hosts[0]);
        await Connected(hosts[1]);
        var endpoint = await Create(hosts[0], receiver.Url);
        var random = new Random(7);
        for (var batch = 0; batch < 20; batch++)
        {
            await Publish(hosts[batch % 2], "acme", "order.shipped", Enumerable.Range(batch * 50, 50));
            if (batch % 5 == 4)
            {
                // One instance dies while it holds claims, and another takes its place.
                var victim = random.Next(2);
                var seen = receiver.All.Count;
                await Until(() => receiver.All.Count > seen || receiver.All.Select(r => r.Number).Distinct().Count() == (batch + 1) * 50);
                hosts[victim].Services.GetRequiredService<WebhookDispatcher>().Dispose();
                hosts[victim].Services.GetRequiredService<WebhookWorker>().Kill();
                hosts[victim] = StartForWebhooks(settings, redis);
                await Connected(hosts[victim]);
            }
        }

        await Until(() => receiver.All.Select(r => r.Number).Distinct().Count() == 1000);
        Assert.All(receiver.All, r => Assert.True(Verifies(r, (string)endpoint["secret"]!)));
        Assert.Equal(1000, receiver.All.Select(r => r.Id).Distinct().Count());
    }
}
