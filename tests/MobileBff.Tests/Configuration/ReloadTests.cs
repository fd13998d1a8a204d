namespace MobileBff.Tests.Configuration;

public sealed class ReloadTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    public static TheoryData<string> Sections => [.. Reloads.OfAnyHost.Keys];

    [Theory]
    [MemberData(nameof(Sections))]
    public Task A_running_host_takes_good_edits_and_refuses_a_wrong_one_as_a_whole(string section)
    {
        // All plans of a test host refill at the same rate, so the caller gets the first one, free.
        var reloads = Reloads.Of(Start(), new(Surroundings.Token(), "free", "api", "/orders", "/catalogue/products", "products", "/added"));
        return reloads.Take(Reloads.OfAnyHost[section](reloads));
    }
}
