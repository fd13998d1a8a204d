namespace MobileBff.Tests.Products;

public sealed class ProductTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task A_product_is_shown_to_anybody()
    {
        var product = await Ok(await Start().Get("/products/p-1", user: null));

        Assert.Equal("p-1", (string?)product["id"]);
        Assert.Equal("/images/p-1.jpg?w=640", (string?)product["image"]);
        Assert.Equal("/images/p-1.jpg?w=160", (string?)product["thumb"]);
        Assert.All(["name", "price", "currency", "rating", "reviewCount", "inStock", "_meta"], m => Assert.NotNull(product[m]));
        Assert.Equal(4, (int)product["_meta"]!["servicesSucceeded"]!);
    }

    [Fact]
    public async Task A_discount_is_left_out_when_there_is_none_and_null_when_pricing_failed()
    {
        var host = Start();
        var (with, without) = (false, false);
        for (var i = 1; i <= 30; i++)
        {
            var product = await Ok(await host.Get($"/products/p-{i}", user: null));
            with |= product.ContainsKey("discountPercent") && (decimal)product["discountPercent"]! > 0;
            without |= !product.ContainsKey("discountPercent");
        }

        Upstream.Pricing.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 200 });
        var failed = await Ok(await host.Get("/products/p-40", user: null));

        Assert.True(with && without);
        Assert.All(["price", "currency", "discountPercent"], m => Assert.True(failed.ContainsKey(m) && failed[m] is null, m));
        Assert.Equal("""{"pricing":"failed"}""", failed["_meta"]!["degraded"]!.ToJsonString());
    }

    [Theory]
    [InlineData("reviews", "rating", "reviewCount")]
    [InlineData("inventory", "inStock")]
    public async Task Members_of_a_failed_part_are_null(string part, params string[] members)
    {
        Upstream[part].Faults.Set(FaultMode.Garbage);

        var product = await Ok(await Start().Get("/products/p-2", user: null));

        Assert.All(members, m => Assert.True(product.ContainsKey(m) && product[m] is null, m));
        Assert.Equal($$"""{"{{part}}":"failed"}""", product["_meta"]!["degraded"]!.ToJsonString());
    }

    [Fact]
    public async Task Fragments_of_products_are_shared_by_all_callers()
    {
        var host = Start(new() { ["Composition:product:pricing:Fresh"] = "01:00:00" });

        await Ok(await host.Get("/products/p-3", user: null));
        await Ok(await host.Get("/products/p-3", "u-1001"));

        Assert.Equal(1, Upstream.Products.Calls.Count);
        Assert.Equal(1, Upstream.Pricing.Calls.Count);
    }

    [Fact]
    public async Task An_unknown_product_is_not_found() =>
        await Problem(await Start().Get("/products/p-none", user: null), 404, "not_found");
}
