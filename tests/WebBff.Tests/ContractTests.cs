namespace WebBff.Tests;

public sealed class ContractTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private static readonly string Committed = Path.Combine(Checkout.Root, "contracts", "web.json");

    [Fact]
    public async Task The_served_document_is_the_committed_one()
    {
        var served = await Ok(await Start().Get("/openapi/web.json", user: null));

        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse(await File.ReadAllTextAsync(Committed)), served),
            "Build the host and commit contracts/web.json."
        );
    }

    [Fact]
    public async Task Every_endpoint_of_the_app_is_described()
    {
        var document = JsonNode.Parse(await File.ReadAllTextAsync(Committed))!;
        string[] expected =
        [
            "delete /bff/sessions",
            "delete /bff/sessions/{id}",
            "get /api/dashboard",
            "get /api/events",
            "get /api/orders",
            "get /api/orders/{id}",
            "get /api/products",
            "get /api/products/{id}",
            "get /api/products/{id}/reviews",
            "get /api/search",
            "get /bff/login",
            "get /bff/logout",
            "get /bff/sessions",
            "get /bff/user",
            "patch /api/profile",
            "post /api/notifications/{id}/read",
            "post /api/orders",
            "post /api/orders/{id}/cancel",
        ];

        Assert.Equal(
            expected,
            document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject().Select(o => $"{o.Key} {p.Key}")).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Members_of_optional_parts_are_nullable_and_those_of_an_include_not_required()
    {
        var schemas = JsonNode.Parse(await File.ReadAllTextAsync(Committed))!["components"]!["schemas"]!;
        foreach (
            var (schema, member) in new[]
            {
                ("DashboardView", "recentOrders"),
                ("DashboardView", "notifications"),
                ("DashboardView", "recommendations"),
                ("ProductPage", "pricing"),
                ("ProductPage", "related"),
                ("ProductListItem", "price"),
                ("ProductListItem", "inStock"),
                ("OrderDetail", "customer"),
                ("OrderDetail", "shipping"),
            }
        )
        {
            Assert.Contains("\"null\"", schemas[schema]!["properties"]![member]!.ToJsonString(), StringComparison.Ordinal);
        }

        Assert.Equal("""["product"]""", schemas["ProductPage"]!["required"]!.ToJsonString());
    }
}
