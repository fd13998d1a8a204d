namespace PartnerBff.Tests.Webhooks;

public sealed class EndpointTests(SharedSurroundings surroundings) : WebhookTest(surroundings)
{
    [Fact]
    public async Task A_change_affects_only_the_members_that_it_names_and_null_removes_the_note()
    {
        var host = StartForWebhooks();
        var path = "/v1/webhook-endpoints/" + (await Create(host, "http://127.0.0.1:9", null, "order.shipped"))["id"];
        async Task<JsonObject> Change(JsonObject change) => await Json(await Send(host, HttpMethod.Patch, path, AcmeKey, change));

        Assert.Equal("stock", (string?)(await Change(new() { ["description"] = "stock" }))["description"]);
        var disabled = await Change(new() { ["enabled"] = false });
        Assert.Equal(
            ("stock", "order.shipped", false),
            ((string?)disabled["description"], (string?)disabled["types"]![0], (bool)disabled["enabled"]!)
        );
        var cleared = await Change(new() { ["description"] = null });
        Assert.True(cleared.ContainsKey("description") && cleared["description"] is null);
        Assert.False((bool)cleared["enabled"]!);
        Assert.Null((await Json(await Get(host, path, AcmeKey)))["description"]);
    }

    [Theory, InlineData(false), RedisData(true)]
    public async Task A_deletion_by_another_tenant_or_a_test_key_does_not_affect_an_endpoint(bool withRedis)
    {
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        var schedule = Enumerable
            .Range(0, 20)
            .ToDictionary(i => $"Webhooks:Schedule:{i}", i => (string?)(i == 0 ? "00:00:00" : "00:00:02"));
        var host = StartForWebhooks(schedule, withRedis ? StartRedis() : null);
        if (withRedis)
        {
            await Connected(host);
        }

        var endpoint = await Create(host, receiver.Url);
        var path = "/v1/webhook-endpoints/" + endpoint["id"];
        await Publish(host, "acme");
        await Until(async () => (await Deliveries(host, endpoint)) is [var d] && d["attempts"]!.AsArray().Count > 0);
        var test = (string)(await MakeKey(host, AcmeKey, "test", "webhooks.manage"))["key"]!;

        await Problem(await Send(host, HttpMethod.Delete, path, GlobexKey), 404, "not_found");
        await Problem(await Send(host, HttpMethod.Delete, path, test), 404, "not_found");
        receiver.Answer = Receiver.Accept;

        var delivery = Assert.Single(await Deliveries(host, endpoint));
        foreach (var stranger in (string[])[GlobexKey, test])
        {
            await Problem(await Send(host, HttpMethod.Post, path + "/test", stranger), 404, "not_found");
            await Problem(await Send(host, HttpMethod.Post, path + "/rotate-secret", stranger), 404, "not_found");
            await Problem(await Send(host, HttpMethod.Patch, path, stranger, new JsonObject { ["enabled"] = false }), 404, "not_found");
            await Problem(await Get(host, path + "/deliveries", stranger), 404, "not_found");
            await Problem(await Send(host, HttpMethod.Post, $"/v1/webhook-deliveries/{delivery["id"]}/retry", stranger), 404, "not_found");
        }

        await Until(async () => (string)(await Deliveries(host, endpoint)).Single()["status"]! == "delivered"); // The schedule goes on.
        Assert.Equal(HttpStatusCode.NoContent, (await Send(host, HttpMethod.Delete, path, AcmeKey)).StatusCode);
    }
}
