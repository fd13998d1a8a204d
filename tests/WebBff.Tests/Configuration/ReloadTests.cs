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
    public Task An_edit_is_taken_while_running_a_wrong_one_is_refused_as_a_whole_and_the_next_good_one_is_taken(string section)
    {
        // All plans of a test host refill at the same rate, so the caller gets the first one, free.
        var reloads = Reloads.Of(
            Start(),
            new(Surroundings.Token(), "free", "api", "/api/orders", "/media/large/p-1.jpg", "media", "/api/added")
        );
        return reloads.Take(Cases[section](reloads));
    }
}
