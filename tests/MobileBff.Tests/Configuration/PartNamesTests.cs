namespace MobileBff.Tests.Configuration;

/// <summary>Settings of a part that no composition has.</summary>
public sealed class PartNamesTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Theory]
    [InlineData("Composition:home-feed:ordrs:Timeout", "00:00:01", "Did you mean Composition:home-feed:orders:Timeout?")]
    [InlineData("Composition:product:reveiws:Stale", "00:00:01", "Did you mean Composition:product:reviews:Stale?")]
    [InlineData("Composition:order:loyalty-points:Enabled", "true", "Remove it.")]
    public void It_stops_the_host_as_any_other_unknown_key_does(string key, string value, string said)
    {
        var refusal = Assert.ThrowsAny<Exception>(() => Start(new() { [key] = value }));

        Assert.Contains($"{key}: is not read by this host. {said}", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_logged_where_unknown_keys_are_to_be_logged_alone()
    {
        var host = Start(new() { ["Composition:home-feed:ordrs:Timeout"] = "00:00:01", ["Settings:Unknown"] = "Warn" });

        Assert.Equal(HttpStatusCode.OK, (await host.Get("/home-feed")).StatusCode);
        var warned = Assert.Single(host.Log.Entries, e => e.Event.Name == "ConfigurationKeyUnknown");
        Assert.Equal(
            "Configuration key Composition:home-feed:ordrs:Timeout is not read by this host. "
                + "Did you mean Composition:home-feed:orders:Timeout? It has no effect.",
            warned.Message
        );
    }

    [Fact]
    public async Task An_endpoint_of_another_host_is_none_of_this_one_s_business()
    {
        var host = Start(new() { ["Composition:dashboard:ordrs:Timeout"] = "00:00:01" });

        Assert.Equal(HttpStatusCode.OK, (await host.Get("/home-feed")).StatusCode);
    }
}
