using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace WebBff.Tests.Composition;

public sealed class DegradedTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public async Task The_dashboard_has_all_its_parts_and_reports_their_statuses()
    {
        using var answer = await Start().Get("/api/dashboard");
        var dashboard = await Ok(answer);

        Assert.Equal(["id", "name", "email", "plan", "avatarUrl"], dashboard["user"]!.AsObject().Select(m => m.Key));
        Assert.Equal(5, dashboard["recentOrders"]!.AsArray().Count);
        Assert.Equal(10, dashboard["recommendations"]!.AsArray().Count);
        Assert.True((int)dashboard["notifications"]!["unreadCount"]! > 0);
        Assert.Equal(4, (int)dashboard["_meta"]!["servicesCalled"]!);
        Assert.Equal(4, (int)dashboard["_meta"]!["servicesSucceeded"]!);
        Assert.All(["user", "orders", "notifications", "recommendations"], part => Assert.Equal("live", Status(dashboard, part)));
        Assert.Contains("total;dur=", answer.Headers.GetValues("Server-Timing").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("orders", "recentOrders")]
    [InlineData("notifications", "notifications")]
    [InlineData("recommendations", "recommendations")]
    public async Task A_part_of_the_dashboard_that_fails_is_null_and_named(string part, string member)
    {
        Upstream[part].Faults.Set(FaultMode.Garbage);

        var dashboard = await Ok(await Start().Get("/api/dashboard"));

        Assert.True(dashboard.ContainsKey(member) && dashboard[member] is null);
        Assert.Equal("failed", Status(dashboard, part));
        Assert.Equal(3, (int)dashboard["_meta"]!["servicesSucceeded"]!);
    }

    /// <summary>JSON may hold a number that no reader can represent and no writer could write again.</summary>
    [Fact]
    public async Task A_number_that_is_too_large_fails_its_part()
    {
        await using var reviews = await TestHost.Start(
            _ => { },
            app =>
                app.MapGet(
                    "/products/{id}/reviews",
                    () => Results.Text("""{"items":[],"summary":{"average":1e400,"count":1}}""", "application/json")
                )
        );
        var host = Start(new() { ["Upstreams:reviews:Address"] = reviews.Address.ToString() });

        await Problem(await host.Get("/api/products/p-1/reviews"), 502, "upstream_failed");
        var product = await Ok(await host.Get("/api/products/p-1"));

        Assert.Equal("failed", Status(product, "reviews"));
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error);
    }

    [Fact]
    public async Task Without_the_user_there_is_no_dashboard()
    {
        Upstream.Users.Faults.Set(FaultMode.Garbage);
        var problem = await Problem(await Start().Get("/api/dashboard"), 502, "upstream_failed");
        Assert.Equal("user", (string?)problem["section"]);
    }

    [Theory]
    [InlineData("pricing", "pricing")]
    [InlineData("inventory", "inventory")]
    [InlineData("reviews", "reviews")]
    [InlineData("recommendations", "related")]
    public async Task A_part_of_a_product_that_fails_is_null_and_named(string service, string part)
    {
        Upstream[service].Faults.Set(FaultMode.Truncated);

        var product = await Ok(await Start().Get("/api/products/p-1"));

        Assert.True(product.ContainsKey(part) && product[part] is null);
        Assert.Equal("failed", Status(product, part));
        Assert.Equal("Trail Shoe", (string?)product["product"]!["name"]);
    }

    [Fact]
    public async Task A_part_that_is_too_slow_is_reported_as_such()
    {
        Upstream.Reviews.Faults.Set(FaultMode.Hang);
        var host = Start(new() { ["Composition:product:reviews:Timeout"] = "00:00:00.200" });

        var product = await Ok(await host.Get("/api/products/p-1"));

        Assert.Null(product["reviews"]);
        Assert.Equal("timeout", Status(product, "reviews"));
    }

    [Fact]
    public async Task Parts_that_are_not_included_are_left_out_and_not_requested()
    {
        var product = await Ok(await Start().Get("/api/products/p-1?include=pricing,inventory"));

        Assert.False(product.ContainsKey("reviews") || product.ContainsKey("related"));
        Assert.Equal("skipped", Status(product, "reviews"));
        Assert.Equal(3, (int)product["_meta"]!["servicesCalled"]!);
        Assert.Equal(0, Upstream.Reviews.Calls.Count);
        await Problem(await Start().Get("/api/products/p-1?include=pricing,colour"), 400, "validation_failed");
    }

    [Theory]
    [InlineData(5, 404, "not_found")]
    [InlineData(14, 502, "upstream_failed")]
    [InlineData(13, 502, "upstream_failed")]
    [InlineData(4, 504, "upstream_timeout")]
    public async Task The_catalogues_grpc_status_decides_the_http_status(int grpc, int status, string code)
    {
        Upstream.Catalog.Faults.Set(new Fault { Mode = FaultMode.Status, Status = grpc });
        await Problem(await Start().Get("/api/products/p-1"), status, code);
    }

    [Fact]
    public async Task A_page_of_products_takes_one_call_per_service()
    {
        using var answer = await Start().Get("/api/products?limit=15");
        var page = await Ok(answer);

        Assert.Equal(15, page["items"]!.AsArray().Count);
        Assert.All(
            page["items"]!.AsArray(),
            i => Assert.True(i!["price"] is not null && i["currency"] is not null && i["inStock"] is not null)
        );
        Assert.Equal((1, 1, 1), (Upstream.Products.Calls.Count, Upstream.Pricing.Calls.Count, Upstream.Inventory.Calls.Count));
        Assert.True((bool)page["hasMore"]!);
        Assert.Contains("rel=\"next\"", answer.Headers.GetValues("Link").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_prices_a_page_of_products_has_null_for_them()
    {
        Upstream.Pricing.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 200 });

        var page = await Ok(await Start().Get("/api/products?limit=3"));

        Assert.All(
            page["items"]!.AsArray(),
            i => Assert.All(["price", "currency", "discount"], m => Assert.True(i!.AsObject().ContainsKey(m) && i[m] is null))
        );
        Assert.Equal("failed", Status(page, "pricing"));
    }

    [Fact]
    public async Task An_order_shows_the_names_it_was_placed_under_when_the_catalogue_is_away()
    {
        Upstream.Products.Faults.Set(FaultMode.Garbage);

        var order = await Ok(await Start().Get("/api/orders/o-6801"));

        Assert.Equal("fallback", Status(order, "products"));
        Assert.All(
            order["items"]!.AsArray(),
            i => Assert.True(i!["product"]!["name"] is not null && i["product"]!["imageUrl"] is not null)
        );
        Assert.Equal("Alice Moreau", (string?)order["customer"]!["name"]);
        Assert.NotNull(order["shipping"]!["trackingNumber"]);
        Assert.Equal(4, (int)order["_meta"]!["servicesSucceeded"]!);
    }

    [Fact]
    public async Task Products_that_are_switched_off_are_left_out_without_a_fallback()
    {
        var host = Start();
        host.Configure(("Composition:order:products:Enabled", "false"));

        var order = await Ok(await host.Get("/api/orders/o-6801"));

        Assert.Equal("unavailable", Status(order, "products"));
        Assert.Equal((4, 3), ((int)order["_meta"]!["servicesCalled"]!, (int)order["_meta"]!["servicesSucceeded"]!));
        Assert.Equal(0, Upstream.Products.Calls.Count);
        host.Configure(("Composition:order:products:Enabled", null));
        Assert.Equal("live", Status(await Ok(await host.Get("/api/orders/o-6801")), "products"));
    }

    [Fact]
    public async Task An_order_that_is_not_sent_has_no_shipping()
    {
        var order = await Ok(await Start().Get("/api/orders/o-6901"));
        Assert.True(order.ContainsKey("shipping") && order["shipping"] is null);
        Assert.Equal("skipped", Status(order, "shipping"));
        Assert.Equal(0, Upstream.Shipping.Calls.Count);
    }

    [Fact]
    public async Task Somebody_elses_order_does_not_exist() =>
        await Problem(await Start().Get("/api/orders/o-6801", user: "u-1002"), 404, "not_found");

    [Theory]
    [InlineData("/api/search")]
    [InlineData("/api/search?q=")]
    [InlineData("/api/search?q=shoe&limit=0")]
    [InlineData("/api/orders?limit=x")]
    [InlineData("/api/orders?limit=-1")]
    [InlineData("/api/products?limit=1.5")]
    public async Task A_parameter_that_is_not_valid_is_named(string path) =>
        await Problem(await Start().Get(path), 400, "validation_failed");

    [Fact]
    public async Task Writes_pass_through_once_to_the_callers_own_resources()
    {
        var host = Start();
        var browser = await SignedIn(host);
        var place = new HttpRequestMessage(HttpMethod.Post, new Uri(host.Address, "/api/orders"))
        {
            Content = new StringContent(
                """{"currency":"EUR","items":[{"productId":"p-1","quantity":1}]}""",
                System.Text.Encoding.UTF8,
                "application/json"
            ),
            Headers = { { "X-CSRF", "1" } },
        };
        using var placed = await browser.Send(place);
        var id = (string)JsonNode.Parse(await placed.Content.ReadAsStringAsync())!["id"]!;
        using var cancelled = await browser.Send(HttpMethod.Post, $"/api/orders/{id}/cancel", ("X-CSRF", "1"));
        using var read = await browser.Send(HttpMethod.Post, "/api/notifications/n-1001-12/read", ("X-CSRF", "1"));
        Upstream.Orders.Faults.Set(FaultMode.Reset);
        using var lost = await browser.Send(HttpMethod.Post, $"/api/orders/{id}/cancel", ("X-CSRF", "1"));

        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        Assert.Equal($"/api/orders/{id}", placed.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, cancelled.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, read.StatusCode);
        Assert.Equal("/users/u-1001/notifications/n-1001-12/read", Upstream.Notifications.Calls.All[^1].Path);
        await Problem(lost, 502, "upstream_failed");
        Assert.Equal(3, Upstream.Orders.Calls.Count);
        Assert.All(Upstream.Orders.Calls.All, c => Assert.Null(c.Header("Cookie")));
    }

    private static string? Status(JsonObject answer, string part) => (string?)answer["_meta"]!["sections"]![part]!["status"];
}
