using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Bff.EndToEnd.Upstreams;

public sealed class OrderTests(Services services) : IClassFixture<Services>
{
    private const string TwoShoes = """{"reference":"po-1","items":[{"productId":"p-1","quantity":2}]}""";

    [Theory]
    [InlineData("/orders/o-5001", "u-1001", null, 200)]
    [InlineData("/orders/o-5001", "u-1001", "acme", 200)]
    [InlineData("/orders/o-5001", "u-1002", null, 404)]
    [InlineData("/orders/o-5001", "u-1004", "acme", 404)]
    [InlineData("/orders/o-5001", null, "acme", 200)]
    [InlineData("/orders/o-5001", null, "globex", 404)]
    [InlineData("/orders/o-5001", "client-7", "globex", 404)]
    [InlineData("/orders/o-5001", "client-7", "acme", 200)]
    [InlineData("/users/u-1001/orders", "u-1002", null, 403)]
    [InlineData("/users/u-1001/orders", null, "globex", 404)]
    public async Task An_order_is_seen_by_its_customer_and_its_tenant_alone(string path, string? user, string? tenant, int status)
    {
        using var answer = await services.SendAsync("orders", "GET", path, headers: As(user, tenant));
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_shipment_is_as_private_as_its_order()
    {
        using var foreign = await services.SendAsync("shipping", "GET", "/shipments?orderId=o-5001", headers: As("u-1002", null));
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
    }

    [Fact]
    public async Task The_same_key_gives_the_same_order_and_another_request_under_it_is_refused()
    {
        var first = await PlaceAsync(TwoShoes, "k-1");
        var again = await PlaceAsync(TwoShoes, "k-1");
        var other = await PlaceAsync(TwoShoes, "k-2");
        Assert.Equal((201, 201, 201), (first.Status, again.Status, other.Status));
        Assert.Equal((string?)first.Body["id"], (string?)again.Body["id"]);
        Assert.NotEqual((string?)first.Body["id"], (string?)other.Body["id"]);
        Assert.Equal(99.98m, (decimal)first.Body["totalAmount"]!);
        Assert.Equal("po-1", (string?)first.Body["reference"]);
        Assert.Equal($"/orders/{first.Body["id"]}", first.Location);

        Assert.Equal(422, (await PlaceAsync("""{"items":[{"productId":"p-2","quantity":1}]}""", "k-1")).Status);
        Assert.Equal(
            (string?)other.Body["id"],
            (string?)(await services.GetAsync("orders", "/users/u-1005/orders?limit=1"))["items"]![0]!["id"]
        );
    }

    [Theory]
    [InlineData("""{"items":[{"productId":"p-999","quantity":1}]}""", 422, "unknown_product")]
    [InlineData("""{"items":[{"productId":"p-1","quantity":0}]}""", 422, "invalid_quantity")]
    [InlineData("""{"items":[{"productId":"p-1","quantity":1.5}]}""", 422, "invalid_quantity")]
    [InlineData("""{"items":[{"productId":"p-17","quantity":1}]}""", 409, "out_of_stock")]
    [InlineData("""{"items":[]}""", 422, "invalid_items")]
    [InlineData("""{"items":[null]}""", 422, "unknown_product")]
    [InlineData("""{"currency":"XXX","items":[{"productId":"p-1","quantity":1}]}""", 422, "unknown_currency")]
    [InlineData("""{"customerId":"u-1001","items":[{"productId":"p-1","quantity":1}]}""", 403, "not_your_orders")]
    [InlineData("""{"items":""", 400, "malformed_request")]
    [InlineData("null", 400, "malformed_request")]
    public async Task An_order_that_the_domain_refuses_is_a_problem(string order, int status, string code)
    {
        var (answered, body, _) = await PlaceAsync(order, key: null);
        Assert.Equal((status, code), (answered, (string?)body["code"]));
    }

    [Fact]
    public async Task An_order_is_cancelled_only_before_it_is_sent_and_only_once()
    {
        var id = (string)(await PlaceAsync(TwoShoes, null)).Body["id"]!;
        using var cancelled = await services.SendAsync("orders", "POST", $"/orders/{id}/cancel", headers: As("u-1005", null));
        Assert.Equal("cancelled", (string?)(await cancelled.Content.ReadFromJsonAsync<JsonNode>())!["status"]);
        using var again = await services.SendAsync("orders", "POST", $"/orders/{id}/cancel");
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        using var shipped = await services.SendAsync("orders", "POST", "/orders/o-5001/cancel");
        Assert.Equal(HttpStatusCode.Conflict, shipped.StatusCode);
        using var foreign = await services.SendAsync("orders", "POST", "/orders/o-5001/cancel", headers: As("u-1002", null));
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
    }

    [Fact]
    public async Task Changes_go_on_from_their_token_until_it_is_too_old()
    {
        var all = new List<string>();
        var deleted = new List<string>();
        string? token = null;
        for (var more = true; more; )
        {
            var page = await services.GetAsync("orders", $"/users/u-1010/orders/changes?limit=8&since={token}");
            all.AddRange(page["items"]!.AsArray().Select(o => (string)o!["id"]!));
            deleted.AddRange(page["deleted"]!.AsArray().Select(o => (string)o!));
            (token, more) = ((string?)page["nextToken"], (bool)page["hasMore"]!);
        }
        Assert.Equal(20, all.Distinct().Count());
        Assert.Single(deleted);

        Assert.True(services.All.Orders.SetStatus(all[0], "paid"));
        Assert.True(services.All.Orders.Delete(all[1]));
        var since = await services.GetAsync("orders", $"/users/u-1010/orders/changes?since={token}");
        Assert.Equal([all[0]], since["items"]!.AsArray().Select(o => (string)o!["id"]!));
        Assert.Equal([all[1]], since["deleted"]!.AsArray().Select(o => (string)o!));

        services.All.Orders.ExpireChangeTokens();
        using var old = await services.SendAsync("orders", "GET", $"/users/u-1010/orders/changes?since={token}");
        Assert.Equal(HttpStatusCode.Gone, old.StatusCode);
    }

    private async Task<(int Status, JsonNode Body, string? Location)> PlaceAsync(string order, string? key)
    {
        using var answer = await services.SendAsync(
            "orders",
            "POST",
            "/orders",
            Services.Json(order),
            h =>
            {
                h.Add("X-User-Id", "u-1005");
                if (key is not null)
                    h.Add("Idempotency-Key", key);
            }
        );
        return ((int)answer.StatusCode, (await answer.Content.ReadFromJsonAsync<JsonNode>())!, answer.Headers.Location?.ToString());
    }

    private static Action<HttpRequestHeaders> As(string? user, string? tenant) =>
        headers =>
        {
            if (user is not null)
                headers.Add("X-User-Id", user);
            if (tenant is not null)
                headers.Add("X-Tenant-Id", tenant);
        };
}
