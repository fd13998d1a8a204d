namespace WebBff.Tests.Composition;

public sealed class StaleTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Theory]
    [InlineData(FaultMode.Reset)]
    [InlineData(FaultMode.Status)]
    [InlineData(FaultMode.Garbage)]
    [InlineData(FaultMode.Hang)]
    public async Task A_stale_copy_replaces_only_a_part_that_fails(FaultMode mode)
    {
        var host = Start(
            new()
            {
                ["Composition:product:pricing:Fresh"] = "00:00:00",
                ["Composition:product:pricing:Stale"] = "01:00:00",
                ["Composition:product:pricing:Timeout"] = mode == FaultMode.Hang ? "00:00:00.300" : null,
            }
        );
        JsonObject first;
        do
        {
            first = await Ok(await host.Get("/api/products/p-7")); // On a slow machine the short timeout may hit the healthy service.
        } while (Status(first) != "live");

        Upstream.Pricing.Faults.Set(mode);
        var failed = await Ok(await host.Get("/api/products/p-7"));
        Upstream.Pricing.Faults.Heal();

        Assert.Equal(("stale", first["pricing"]!.ToJsonString()), (Status(failed), failed["pricing"]!.ToJsonString()));
        Assert.Single(host.Log.Entries, e => e.Event.Name == "StaleServed");
        host.Configure(("Composition:product:pricing:Timeout", "00:00:30"));
        var healed = await Ok(await host.Get("/api/products/p-7"));
        for (var i = 0; i < 100 && mode == FaultMode.Hang && Status(healed) != "live"; i++)
        {
            healed = await Ok(await host.Get("/api/products/p-7")); // The hanging call may not have ended yet, and this read may join it.
        }

        Assert.Equal("live", Status(healed));
    }

    [Fact]
    public async Task Within_Revalidate_a_stale_copy_is_served_and_renewed_by_one_background_call()
    {
        var host = Start(
            new() { ["Composition:product:pricing:Fresh"] = "00:00:00", ["Composition:product:pricing:Revalidate"] = "01:00:00" }
        );
        await Ok(await host.Get("/api/products/p-7"));

        using var held = Upstream.Pricing.Faults.Hold();
        var answers = new[] { await Ok(await host.Get("/api/products/p-7")), await Ok(await host.Get("/api/products/p-7")) };
        await Upstream.Pricing.Calls.ReachAsync(2).WaitAsync(WaitLimit);

        Assert.All(answers, a => Assert.Equal("cached", Status(a)));
        Assert.Equal(2, Upstream.Pricing.Calls.Count);
    }

    private static string? Status(JsonObject answer) => (string?)answer["_meta"]!["sections"]!["pricing"]!["status"];
}
