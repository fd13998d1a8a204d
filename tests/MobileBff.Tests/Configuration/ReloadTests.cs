namespace MobileBff.Tests.Configuration;

public sealed class ReloadTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    public static TheoryData<string> Sections => [.. Reloads.OfAnyHost.Keys];

    [Theory]
    [MemberData(nameof(Sections))]
    public Task An_edit_is_taken_while_running_a_wrong_one_is_refused_as_a_whole_and_the_next_good_one_is_taken(string section)
    {
        // All plans of a test host refill at the same rate, so the caller gets the first one, free.
        var reloads = Reloads.Of(Start(), new(Surroundings.Token(), "free", "api", "/orders", "/catalogue/products", "products", "/added"));
        return reloads.Take(Reloads.OfAnyHost[section](reloads));
    }
}
