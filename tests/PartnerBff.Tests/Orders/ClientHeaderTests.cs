namespace PartnerBff.Tests.Orders;

/// <summary>Client headers that are forwarded to the services behind partners' answers.</summary>
public sealed class ClientHeaderTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public async Task Language_and_forwarded_headers_reach_reads_writes_and_batches()
    {
        var host = Start(new() { ["Headers:Forward:0"] = "X-Device" });

        await Json(await Send(host, HttpMethod.Get, "/v1/orders"));
        await Json(await Send(host, HttpMethod.Get, "/v1/products/p-1"));
        await Json(await Send(host, HttpMethod.Post, "/v1/orders", Order(), "headers-1"), 201);
        await Json(
            await Send(host, HttpMethod.Post, "/v1/orders/batch", new JsonObject { ["orders"] = new JsonArray(Order()) }, "headers-2"),
            207
        );

        var calls = Upstream.Orders.Calls.All.Concat(Upstream.Products.Calls.All).ToList();
        Assert.Equal(4, calls.Count);
        Assert.All(calls, c => Assert.Equal(("de", "scanner"), (c.Header("Accept-Language"), c.Header("X-Device"))));
    }

    private static Task<HttpResponseMessage> Send(
        PartnerHost host,
        HttpMethod method,
        string path,
        JsonNode? body = null,
        string? key = null
    )
    {
        var request = new HttpRequestMessage(method, path) { Headers = { Authorization = new("Bearer", AcmeKey) } };
        request.Headers.Add("Accept-Language", "de");
        request.Headers.Add("X-Device", "scanner");
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
            request.Content = new StringContent(body!.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        }

        return host.Client.SendAsync(request);
    }
}
