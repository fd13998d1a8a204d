using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Bff.EndToEnd.Upstreams;

public sealed class EndpointTests(Services services) : IClassFixture<Services>
{
    [Theory]
    [InlineData("users", "/users/u-1001", "id name email avatarUrl plan locale createdAt address preferences")]
    [InlineData("orders", "/orders/o-5001", "id customerId reference status placedAt updatedAt totalAmount currency items shippingAddress")]
    [InlineData("orders", "/users/u-1001/orders", "items nextCursor")]
    [InlineData("orders", "/users/u-1001/orders/changes", "items deleted nextToken hasMore")]
    [InlineData("products", "/products/p-1", "id name description brand category imageUrl gallery attributes variants updatedAt")]
    [InlineData("products", "/products?category=shoes", "items nextCursor")]
    [InlineData("reviews", "/products/p-1/reviews", "items nextCursor summary")]
    [InlineData("inventory", "/inventory/p-1", "productId inStock quantity warehouses updatedAt")]
    [InlineData("recommendations", "/users/u-1001/recommendations", "items")]
    [InlineData("recommendations", "/products/p-1/related", "items")]
    [InlineData("notifications", "/users/u-1001/notifications", "unreadCount items")]
    [InlineData("shipping", "/shipments?orderId=o-5001", "orderId carrier trackingNumber status estimatedDelivery events")]
    [InlineData("search", "/search?q=trail", "items total")]
    public async Task A_document_has_the_members_that_the_contract_names(string service, string path, string members)
    {
        var document = (await services.GetAsync(service, path)).AsObject();
        Assert.All(members.Split(' '), member => Assert.True(document.ContainsKey(member), member));
    }

    [Theory]
    [InlineData("recommendations", "/users/u-1050/recommendations", "productId name imageUrl price currency score")]
    [InlineData("search", "/search?q=tent", "productId name imageUrl price currency")]
    [InlineData("notifications", "/users/u-1100/notifications", "id type title body createdAt read")]
    [InlineData("reviews", "/products/p-300/reviews", "id productId rating title body author createdAt")]
    [InlineData("products", "/products?ids=p-2,p-1,p-9999", "id name description")]
    [InlineData("inventory", "/inventory?ids=p-2,p-1,p-9999", "productId inStock quantity warehouses updatedAt")]
    public async Task Items_have_the_members_that_the_contract_names(string service, string path, string members)
    {
        var items = (await services.GetAsync(service, path))["items"]!.AsArray();
        Assert.NotEmpty(items);
        Assert.All(items, item => Assert.All(members.Split(' '), member => Assert.True(item!.AsObject().ContainsKey(member), member)));
    }

    [Theory]
    [InlineData("users", "/users/u-1", 404)]
    [InlineData("orders", "/orders/o-1", 404)]
    [InlineData("orders", "/orders", 403)]
    [InlineData("orders", "/users/u-1001/orders/changes?since=ct-0-0", 410)]
    [InlineData("orders", "/users/u-1001/orders/changes?since=nonsense", 400)]
    [InlineData("orders", "/users/u-1001/orders?cursor=nonsense", 400)]
    [InlineData("products", "/products/p-301", 404)]
    [InlineData("products", "/products/p-01", 404)]
    [InlineData("products", "/products?limit=0", 400)]
    [InlineData("products", "/products?limit=x", 400)]
    [InlineData("reviews", "/products/p-0/reviews", 404)]
    [InlineData("inventory", "/inventory/p-x", 404)]
    [InlineData("shipping", "/shipments?orderId=o-1", 404)]
    [InlineData("shipping", "/shipments", 400)]
    [InlineData("search", "/search?q=", 400)]
    [InlineData("media", "/media/large/p-301.jpg", 404)]
    [InlineData("media", "/media/huge/p-1.jpg", 404)]
    [InlineData("pricing", "/graphql", 405)]
    [InlineData("users", "/elsewhere", 404)]
    public async Task A_missing_resource_is_a_problem(string service, string path, int status)
    {
        using var answer = await services.SendAsync(service, "GET", path);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(status, (int)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["status"]!);
    }

    [Theory]
    [InlineData("products", "/products", 300)]
    [InlineData("orders", "/users/u-1001/orders", 20)]
    [InlineData("reviews", "/products/p-1/reviews", 128)]
    public async Task Pages_list_every_item_once(string service, string path, int expected)
    {
        var seen = new List<string>();
        for (string? cursor = null, first = "yes"; first is not null || cursor is not null; first = null)
        {
            var page = await services.GetAsync(service, $"{path}?limit=7&cursor={cursor}");
            seen.AddRange(page["items"]!.AsArray().Select(item => (string)item!["id"]!));
            cursor = (string?)page["nextCursor"];
        }
        Assert.Equal(expected, seen.Count);
        Assert.Equal(expected, seen.Distinct().Count());
    }

    [Fact]
    public async Task Orders_come_newest_first_and_in_every_status()
    {
        var orders = (await services.GetAsync("orders", "/orders?limit=100", h => h.Add("X-Tenant-Id", "acme")))["items"]!.AsArray();
        var placed = orders.Select(o => (DateTimeOffset)o!["placedAt"]!).ToList();
        Assert.Equal(placed.OrderDescending(), placed);
        Assert.Equal(
            ["cancelled", "delivered", "paid", "pending", "shipped"],
            orders.Select(o => (string)o!["status"]!).Distinct().Order()
        );
    }

    [Fact]
    public async Task Descriptions_are_long_and_the_summary_agrees_with_the_reviews()
    {
        var products = (await services.GetAsync("products", "/products?limit=100"))["items"]!.AsArray();
        Assert.All(products, p => Assert.InRange(((string)p!["description"]!).Length, 500, 1500));

        var page = await services.GetAsync("reviews", "/products/p-7/reviews?limit=100");
        var ratings = page["items"]!.AsArray().Select(r => (int)r!["rating"]!).ToList();
        Assert.Equal((int)page["summary"]!["count"]!, ratings.Count);
        Assert.All(
            Enumerable.Range(1, 5),
            stars => Assert.Equal((int)page["summary"]!["histogram"]![$"{stars}"]!, ratings.Count(r => r == stars))
        );
        Assert.Equal(Math.Round((decimal)ratings.Average(), 1, MidpointRounding.AwayFromZero), (decimal)page["summary"]!["average"]!);
    }

    [Fact]
    public async Task A_profile_is_merge_patched_and_other_users_cannot_change_it()
    {
        using var patched = await services.SendAsync(
            "users",
            "PATCH",
            "/users/u-1002",
            Services.Json("""{"name":"B. Novak","preferences":{"mobile":{"theme":"light"},"web":null}}""")
        );
        Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
        var profile = await services.GetAsync("users", "/users/u-1002");
        Assert.Equal("B. Novak", (string?)profile["name"]);
        Assert.Equal("light", (string?)profile["preferences"]!["mobile"]!["theme"]);
        Assert.NotNull(profile["preferences"]!["mobile"]!["pushEnabled"]);
        Assert.False(profile["preferences"]!.AsObject().ContainsKey("web"));

        using var foreign = await services.SendAsync(
            "users",
            "PATCH",
            "/users/u-1002",
            Services.Json("""{"name":"X"}"""),
            h => h.Add("X-User-Id", "u-1003")
        );
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        using var readOnly = await services.SendAsync("users", "PATCH", "/users/u-1002", Services.Json("""{"email":"x@example.com"}"""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, readOnly.StatusCode);
        using var broken = await services.SendAsync("users", "PATCH", "/users/u-1002", Services.Json("{"));
        Assert.Equal(HttpStatusCode.BadRequest, broken.StatusCode);
    }

    [Fact]
    public async Task A_notification_is_marked_as_read()
    {
        var before = await services.GetAsync("notifications", "/users/u-1004/notifications?unread=true");
        var id = (string)before["items"]![0]!["id"]!;
        using var marked = await services.SendAsync("notifications", "POST", $"/users/u-1004/notifications/{id}/read");
        Assert.Equal(HttpStatusCode.NoContent, marked.StatusCode);
        var after = await services.GetAsync("notifications", "/users/u-1004/notifications?unread=true");
        Assert.Equal((int)before["unreadCount"]! - 1, (int)after["unreadCount"]!);
        Assert.DoesNotContain(after["items"]!.AsArray(), n => (string)n!["id"]! == id);
    }
}
