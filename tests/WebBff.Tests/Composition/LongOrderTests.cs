using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace WebBff.Tests.Composition;

/// <summary>Orders, lists and pages with many entries.</summary>
public sealed class LongOrderTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Theory]
    [InlineData(400, 4)]
    [InlineData(100, 120)]
    public async Task The_products_of_a_long_order_are_requested_by_addresses_of_bounded_length(int lines, int length)
    {
        var ids = Enumerable.Range(0, lines).Select(i => $"p-{i}".PadRight(length, 'x')).ToList();
        var items = string.Join(',', ids.Select(id => $$"""{"productId":"{{id}}","quantity":1,"unitPrice":1}"""));
        await using var orders = await TestHost.Start(
            _ => { },
            app =>
                app.MapGet(
                    "/orders/{id}",
                    () =>
                        Results.Text(
                            $$"""{"id":"o-1","customerId":"u-1001","status":"paid","placedAt":"2026-01-01T00:00:00Z","totalAmount":1,"currency":"EUR","items":[{{items}}]}""",
                            "application/json"
                        )
                )
        );
        var asked = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var products = await TestHost.Start(
            _ => { },
            app =>
                app.MapGet(
                    "/products",
                    (HttpContext context, string ids) =>
                    {
                        asked.Enqueue(context.Request.QueryString.Value!);
                        return Results.Text(
                            "{\"items\":["
                                + string.Join(',', ids.Split(',').Select(id => $$"""{"id":"{{id}}","name":"Name of {{id}}"}"""))
                                + "]}",
                            "application/json"
                        );
                    }
                )
        );
        var host = Start(
            new() { ["Upstreams:orders:Address"] = orders.Address.ToString(), ["Upstreams:products:Address"] = products.Address.ToString() }
        );

        var order = await Ok(await host.Get("/api/orders/o-1"));

        Assert.Equal("live", (string?)order["_meta"]!["sections"]!["products"]!["status"]);
        Assert.Equal(ids.Select(id => "Name of " + id), order["items"]!.AsArray().Select(i => (string?)i!["product"]!["name"]));
        Assert.All(asked, query => Assert.InRange(query.Length, 1, 2100));
        Assert.All(asked, query => Assert.InRange(query.Split([',', '%']).Length, 1, 51));
    }

    [Theory]
    [InlineData("/api/orders", "orders", "/users/{id}/orders")]
    [InlineData("/api/products", "products", "/products")]
    [InlineData("/api/products/p-1/reviews", "reviews", "/products/{id}/reviews")]
    public async Task A_cursor_that_the_service_no_longer_accepts_is_reported_as_invalid(string path, string service, string at)
    {
        await using var list = await TestHost.Start(
            _ => { },
            app =>
                app.MapGet(
                    at,
                    (string? cursor) =>
                        cursor is null
                            ? Results.Text("""{"items":[],"nextCursor":"old","summary":{"average":1,"count":1}}""", "application/json")
                            : Results.Problem(statusCode: 400)
                )
        );
        var host = Start(new() { [$"Upstreams:{service}:Address"] = list.Address.ToString() });
        var next = (string)(await Ok(await host.Get(path)))["nextCursor"]!;

        await Problem(await host.Get($"{path}?cursor={next}"), 400, "invalid_cursor");
    }

    [Theory]
    [InlineData("recommendations", "/users/{id}/recommendations", """{"items":[null]}""")]
    [InlineData("orders", "/users/{id}/orders", """{"items":[null]}""")]
    [InlineData("notifications", "/users/{id}/notifications", """{"unreadCount":1,"items":[null]}""")]
    public async Task A_null_entry_fails_its_part(string service, string at, string document)
    {
        await using var poisoned = await TestHost.Start(_ => { }, app => app.MapGet(at, () => Results.Text(document, "application/json")));
        var host = Start(new() { [$"Upstreams:{service}:Address"] = poisoned.Address.ToString() });

        var dashboard = await Ok(await host.Get("/api/dashboard"));

        Assert.Equal("failed", (string?)dashboard["_meta"]!["sections"]![service]!["status"]);
    }

    [Theory]
    [InlineData("""{"attributes":{"weight":null}}""")]
    [InlineData("""{"gallery":[null]}""")]
    [InlineData("""{"variants":[null]}""")]
    public async Task A_null_in_a_map_or_list_of_a_product_fails_the_list(string member)
    {
        await using var products = await TestHost.Start(
            _ => { },
            app =>
                app.MapGet(
                    "/products",
                    () => Results.Text("{\"items\":[{\"id\":\"p-1\",\"name\":\"n\"," + member[1..] + "]}", "application/json")
                )
        );
        var host = Start(new() { ["Upstreams:products:Address"] = products.Address.ToString() });

        await Problem(await host.Get("/api/products"), 502, "upstream_failed");
    }
}
