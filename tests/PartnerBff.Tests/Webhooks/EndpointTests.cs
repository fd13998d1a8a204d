namespace PartnerBff.Tests.Webhooks;

public sealed class EndpointTests(SharedSurroundings surroundings) : WebhookTest(surroundings)
{
    [Fact]
    public async Task A_change_touches_what_it_names_and_null_takes_the_note_away()
    {
        var host = StartForWebhooks();
        var path = "/v1/webhook-endpoints/" + (await Create(host, "http://127.0.0.1:9", null, "order.shipped"))["id"];
        async Task<JsonObject> Change(JsonObject change) => await Json(await Send(host, HttpMethod.Patch, path, AcmeKey, change));

        Assert.Equal("stock", (string?)(await Change(new() { ["description"] = "stock" }))["description"]);
        var disabled = await Change(new() { ["enabled"] = false });
        Assert.Equal(("stock", "order.shipped", false), ((string?)disabled["description"], (string?)disabled["types"]![0], (bool)disabled["enabled"]!));
        var cleared = await Change(new() { ["description"] = null });
        Assert.True(cleared.ContainsKey("description") && cleared["description"] is null);
        Assert.False((bool)cleared["enabled"]!);
        Assert.Null((await Json(await Get(host, path, AcmeKey)))["description"]);
    }
}
