namespace MobileBff.Tests.Configuration;

public sealed class WrongValuesTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public void A_wrong_value_of_any_key_stops_the_host_and_is_named()
    {
        var settings = new Dictionary<string, string?>(WrongValues.OfAnyHost)
        {
            ["Composition:home-feed:user:Timeout"] = "0",
            ["Composition:home-feed:recommendations:Fresh"] = "-00:00:01",
            ["Composition:home-feed:recommendations:Stale"] = "8.00:00:00",
            ["Composition:home-feed:orders:Enabled"] = "sometimes",
            ["Images:MaxPixels"] = "0",
            ["Images:MaxDecodes"] = "0",
            ["Images:MaxWaiting"] = "-1",
            ["Images:CacheBytes"] = "-1",
        };

        WrongValues.AreRefused(wrong => Start(wrong), settings);
    }
}
