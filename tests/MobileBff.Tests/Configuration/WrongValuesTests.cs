namespace MobileBff.Tests.Configuration;

public sealed class WrongValuesTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public void A_wrong_value_of_any_key_stops_the_host_and_is_named() =>
        WrongValues.AreRefused(wrong => Start(wrong), WrongValues.OfMobile);
}
