namespace WebBff.Tests.Configuration;

public sealed class ReloadTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private static readonly Dictionary<string, Func<Reloads, Reload>> Cases = new(Reloads.OfAnyHost)
    {
        ["Session"] = reloads => reloads.Session("/bff/login?returnUrl=%2F"),
    };

    public static TheoryData<string> Sections => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Sections))]
    public Task A_running_host_takes_good_edits_and_refuses_a_wrong_one_as_a_whole(string section)
    {
        // All plans of a test host refill at the same rate, so the caller gets the first one, free.
        var reloads = Reloads.Of(
            Start(),
            new(Surroundings.Token(), "free", "api", "/api/orders", "/media/large/p-1.jpg", "media", "/api/added")
        );
        return reloads.Take(Cases[section](reloads));
    }
}
