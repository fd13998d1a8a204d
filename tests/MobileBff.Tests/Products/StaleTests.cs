namespace MobileBff.Tests.Products;

/// <summary>A stale copy replaces the answer of a failing service, never that of a healthy one.</summary>
public sealed class StaleTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task A_stale_price_is_fetched_again_and_served_only_when_that_fails()
    {
        var host = Start(new() { ["Composition:product:pricing:Fresh"] = "00:00:00", ["Composition:product:pricing:Stale"] = "01:00:00" });
        var first = await Ok(await host.Get("/products/p-7", user: null));

        var second = await Ok(await host.Get("/products/p-7", user: null));
        Upstream.Pricing.Faults.Set(FaultMode.Reset);
        var third = await Ok(await host.Get("/products/p-7", user: null));
        Upstream.Pricing.Faults.Heal();
        var fourth = await Ok(await host.Get("/products/p-7", user: null));

        Assert.All([first, second, fourth], answer => Assert.Null(answer["_meta"]!["degraded"]));
        Assert.Equal("stale", (string?)third["_meta"]!["degraded"]!["pricing"]);
        Assert.Equal(first["price"]!.ToJsonString(), third["price"]!.ToJsonString());
        Assert.True(Upstream.Pricing.Calls.Count >= 4);
    }
}
