namespace MobileBff.Tests.Orders;

public sealed class OrderTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task An_order_shows_its_first_three_items_and_where_it_is()
    {
        var host = Start();
        var id = await FirstOrderId(host);
        Upstream.Orders.SetStatus(id, "shipped");

        var response = await host.Get($"/orders/{id}");
        var order = await Ok(response);

        Assert.Equal(
            ["id", "status", "total", "currency", "itemCount", "date", "items", "hasMoreItems", "tracking", "_meta"],
            order.Select(m => m.Key)
        );
        Assert.InRange(order["items"]!.AsArray().Count, 1, 3);
        Assert.Equal((int)order["itemCount"]! > 3, (bool)order["hasMoreItems"]!);
        Assert.Equal(["name", "qty", "price", "thumb"], order["items"]![0]!.AsObject().Select(m => m.Key));
        Assert.Equal(["carrier", "number", "eta"], order["tracking"]!.AsObject().Select(m => m.Key));
        Assert.Equal("private, max-age=60", response.Headers.NonValidated["Cache-Control"].ToString());
    }

    [Fact]
    public async Task Shipping_is_not_called_for_an_order_that_is_not_on_its_way()
    {
        var host = Start();
        var id = await FirstOrderId(host);
        Upstream.Orders.SetStatus(id, "paid");

        var order = await Ok(await host.Get($"/orders/{id}"));

        Assert.True(order.ContainsKey("tracking"));
        Assert.Null(order["tracking"]);
        Assert.Equal((1, 1), ((int)order["_meta"]!["servicesCalled"]!, (int)order["_meta"]!["servicesSucceeded"]!));
        Assert.Equal(0, Upstream.Shipping.Calls.Count);
    }

    [Fact]
    public async Task Somebody_elses_order_is_not_found()
    {
        var host = Start();
        var id = await FirstOrderId(host);

        await Problem(await host.Get($"/orders/{id}", "u-1002"), 404, "not_found");
        await Problem(await host.Get("/orders/o-none"), 404, "not_found");
    }

    [Fact]
    public async Task An_unchanged_order_is_304_and_a_changed_one_is_sent()
    {
        var host = Start();
        var id = await FirstOrderId(host);
        Upstream.Orders.SetStatus(id, "paid");
        var first = await host.Get($"/orders/{id}");
        var tag = first.Headers.ETag!.ToString();

        var same = host.Request(HttpMethod.Get, $"/orders/{id}");
        same.Headers.TryAddWithoutValidation("If-None-Match", tag);
        var unchanged = await host.Client.SendAsync(same);
        Upstream.Orders.SetStatus(id, "cancelled");
        var other = host.Request(HttpMethod.Get, $"/orders/{id}");
        other.Headers.TryAddWithoutValidation("If-None-Match", tag);
        var changed = await host.Client.SendAsync(other);

        Assert.True(first.Headers.ETag.IsWeak, tag); // _meta differs each time.
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Equal(tag, unchanged.Headers.ETag!.ToString());
        Assert.Empty(await unchanged.Content.ReadAsByteArrayAsync());
        Assert.Equal("cancelled", (string?)(await Ok(changed))["status"]);
    }

    [Fact]
    public async Task A_degraded_order_has_no_tag_and_is_not_kept()
    {
        var host = Start();
        var id = await FirstOrderId(host);
        Upstream.Orders.SetStatus(id, "shipped");
        Upstream.Shipping.Faults.Set(FaultMode.Status);

        var response = await host.Get($"/orders/{id}");
        var order = await Ok(response);

        Assert.Null(order["tracking"]);
        Assert.Equal("""{"shipping":"failed"}""", order["_meta"]!["degraded"]!.ToJsonString());
        Assert.Null(response.Headers.ETag);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
    }

    private static async Task<string> FirstOrderId(MobileHost host) =>
        (string)(await Ok(await host.Get("/home-feed")))["orders"]![0]!["id"]!;
}
