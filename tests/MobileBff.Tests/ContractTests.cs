namespace MobileBff.Tests;

public sealed class ContractTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private static readonly string Committed = Path.Combine(Checkout.Root, "contracts", "mobile.json");

    [Fact]
    public async Task The_served_document_is_the_committed_one()
    {
        var served = await Ok(await Start().Get("/openapi/mobile.json", user: null));

        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse(await File.ReadAllTextAsync(Committed)), served),
            "Build the host and commit contracts/mobile.json."
        );
    }

    /// <summary>A generated client could not send what makes its order safe to repeat.</summary>
    [Fact]
    public async Task The_key_of_an_order_is_described()
    {
        var parameter = JsonNode.Parse(await File.ReadAllTextAsync(Committed))!["paths"]!["/orders"]!["post"]!["parameters"]?[0];

        Assert.Equal(("Idempotency-Key", "header"), ((string?)parameter?["name"], (string?)parameter?["in"]));
    }

    [Fact]
    public async Task Every_endpoint_of_the_app_is_described_with_its_problems()
    {
        var document = JsonNode.Parse(await File.ReadAllTextAsync(Committed))!;

        Assert.Equal("3.1", ((string)document["openapi"]!)[..3]);
        string[] expected =
        [
            "get /home-feed",
            "get /images/{file}",
            "get /me",
            "get /orders",
            "get /orders/{id}",
            "get /products/{id}",
            "get /search",
            "get /sync",
            "patch /me",
            "post /notifications/{id}/read",
            "post /orders",
            "post /sync",
        ];
        var described = document["paths"]!
            .AsObject()
            .SelectMany(p => p.Value!.AsObject().Select(o => (Name: $"{o.Key} {p.Key}", Operation: o.Value!)))
            .ToList();
        Assert.Equal(expected, described.Select(d => d.Name).Order(StringComparer.Ordinal));
        Assert.All(described, d => Assert.NotNull(d.Operation["responses"]!["429"]!["content"]!["application/problem+json"]));
        Assert.NotNull(document["paths"]!["/sync"]!["get"]!["responses"]!["410"]);
    }

    [Fact]
    public async Task Members_of_optional_parts_are_nullable()
    {
        var schemas = JsonNode.Parse(await File.ReadAllTextAsync(Committed))!["components"]!["schemas"]!;

        foreach (
            var (schema, member) in new[]
            {
                ("HomeFeed", "orders"),
                ("HomeFeed", "recommendations"),
                ("HomeFeed", "unread"),
                ("OrderDetail", "tracking"),
                ("SyncAnswer", "unread"),
                ("ProductDetail", "price"),
                ("ProductDetail", "discountPercent"),
                ("ProductDetail", "rating"),
                ("ProductDetail", "inStock"),
            }
        )
        {
            Assert.Contains("\"null\"", schemas[schema]!["properties"]![member]!.ToJsonString(), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("discountPercent", schemas["ProductDetail"]!["required"]!.AsArray().Select(r => (string?)r));
        Assert.DoesNotContain("next", schemas["OrderList"]!["required"]!.AsArray().Select(r => (string?)r));
    }
}
