namespace WebBff.Tests.Configuration;

public sealed class WrongValuesTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public void A_wrong_value_of_any_key_stops_the_host_and_is_named()
    {
        var settings = new Dictionary<string, string?>(WrongValues.OfAnyHost)
        {
            ["Session:Authority"] = "not an address",
            ["Session:ClientId"] = "",
            ["Session:ClientSecret"] = "",
            ["Session:Scopes"] = "email",
            ["Session:RequireHttpsMetadata"] = "maybe",
            ["Session:IdleTimeout"] = "00:00:00",
            ["Session:AbsoluteTimeout"] = "91.00:00:00",
            ["Session:RefreshBefore"] = "-00:00:01",
            ["Composition:dashboard:user:Timeout"] = "0",
        };

        WrongValues.AreRefused(wrong => Start(wrong), settings);
    }
}
