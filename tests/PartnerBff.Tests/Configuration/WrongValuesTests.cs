namespace PartnerBff.Tests.Configuration;

public sealed class WrongValuesTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public void A_wrong_value_of_any_key_stops_the_host_and_is_named()
    {
        var settings = new Dictionary<string, string?>(WrongValues.OfAnyHost)
        {
            ["Session:Scopes"] = "email",
            ["Sandbox:Upstreams:orders:Timeout"] = "1 second",
            ["ApiKeys:MaxStale"] = "2.00:00:00",
            ["ApiKeys:Bootstrap:acme"] = "pk_live_mistyped",
            ["Versions:v1:Deprecation"] = "yesterday",
            ["Versions:v1:Sunset"] = "tomorrow",
            ["Webhooks:Schedule:0"] = "-00:00:01",
            ["Webhooks:Timeout"] = "00:00:00",
            ["Webhooks:Jitter"] = "2",
            ["Webhooks:DisableAfter"] = "00:00:00",
        };

        WrongValues.AreRefused(wrong => Start(wrong), settings);
    }
}
