namespace MobileBff.Tests.Configuration;

/// <summary>A part that no composition has.</summary>
public sealed class PartNamesTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Theory]
    [InlineData("Composition:home-feed:ordrs:Timeout", "Did you mean Composition:home-feed:orders?")]
    [InlineData("Composition:product:reveiws:Stale", "Did you mean Composition:product:reviews?")]
    [InlineData("Composition:order:loyalty-points:Enabled", "it composes no part of this name.")]
    public void It_stops_the_host_and_the_one_that_was_meant_is_named(string key, string said)
    {
        var refusal = Assert.ThrowsAny<Exception>(() =>
            Start(new() { [key] = key.EndsWith("Enabled", StringComparison.Ordinal) ? "true" : "00:00:01" })
        );

        Assert.Contains($"{key[..key.LastIndexOf(':')]}: is not read by this host", refusal.ToString(), StringComparison.Ordinal);
        Assert.Contains(said, refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_passed_over_where_unknown_keys_are_to_be_logged_alone()
    {
        var host = Start(new() { ["Composition:home-feed:ordrs:Timeout"] = "00:00:01", ["Settings:Unknown"] = "Warn" });

        Assert.Equal(HttpStatusCode.OK, (await host.Get("/home-feed")).StatusCode);
    }

    [Fact]
    public async Task An_endpoint_of_another_host_is_none_of_this_one_s_business()
    {
        var host = Start(new() { ["Composition:dashboard:ordrs:Timeout"] = "00:00:01" });

        Assert.Equal(HttpStatusCode.OK, (await host.Get("/home-feed")).StatusCode);
    }
}
