namespace MobileBff.Tests.Configuration;

/// <summary>Settings of a part that no composition has.</summary>
public sealed class PartNamesTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Theory]
    [InlineData("Composition:home-feed:ordrs:Timeout", "00:00:01", "Did you mean Composition:home-feed:orders:Timeout?")]
    [InlineData("Composition:product:reveiws:Stale", "00:00:01", "Did you mean Composition:product:reviews:Stale?")]
    [InlineData("Composition:order:loyalty-points:Enabled", "true", "Remove it.")]
    public void An_unknown_part_stops_the_host_like_any_other_unknown_key(string key, string value, string said)
    {
        var refusal = Assert.ThrowsAny<Exception>(() => Start(new() { [key] = value }));

        Assert.Contains($"{key}: is not read by this host. {said}", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_part_is_only_logged_when_unknown_keys_are_only_logged()
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
    public async Task A_setting_of_another_hosts_endpoint_is_ignored()
    {
        var host = Start(new() { ["Composition:dashboard:ordrs:Timeout"] = "00:00:01" });

        Assert.Equal(HttpStatusCode.OK, (await host.Get("/home-feed")).StatusCode);
    }
}
