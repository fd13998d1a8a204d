namespace PartnerBff.Tests.Configuration;

/// <summary>Edits every section that <c>docs/operations.md</c> lists as taken while running; this host reads them all.</summary>
public sealed class ReloadTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    private static readonly string OtherKey = ApiKeyFormat.New(isTest: false);

    private static Dictionary<string, Func<ReloadTests, Reloads, Reload>> Own { get; } =
        new()
        {
            ["Sandbox"] = (t, reloads) =>
                new(
                    [("Sandbox:Upstreams:orders:Address", t.Upstream.Orders.Address.ToString())],
                    ("Sandbox:Upstreams:orders:Timeout", "never"),
                    () => reloads.Asked("/v1/orders", AcmeTestKey)
                ),
            ["ApiKeys"] = (_, reloads) =>
                new(
                    [("ApiKeys:Bootstrap:initech", OtherKey)],
                    ("ApiKeys:Bootstrap:globex", "pk_live_short"),
                    () => reloads.Status("/v1/account", OtherKey)
                ),
            ["Versions"] = (_, reloads) =>
                new(
                    [("Versions:v1:Deprecation", "2026-01-01T00:00:00Z")],
                    ("Versions:v1:Sunset", "soon"),
                    () => reloads.Header("Deprecation")
                ),
            ["Session"] = (_, reloads) => reloads.Session("/portal/login?returnUrl=%2Fportal"),
        };

    public static TheoryData<string> Sections => [.. Reloads.OfAnyHost.Keys, .. Own.Keys];

    [Theory]
    [MemberData(nameof(Sections))]
    public Task A_running_host_takes_good_edits_and_refuses_a_wrong_one_as_a_whole(string section)
    {
        var host = Start(new() { ["Session:Authority"] = Surroundings.Identity.Authority, ["ApiKeys:Bootstrap:globex"] = AcmeTestKey });
        var reloads = Reloads.Of(
            host,
            new(AcmeKey, "enterprise", "orders.read", "/v1/orders", "/v1/shipments?orderId=o-1", "shipping", "/v1/added")
        );
        return reloads.Take(Own.TryGetValue(section, out var own) ? own(this, reloads) : Reloads.OfAnyHost[section](reloads));
    }

    [Fact]
    public void Every_section_that_the_page_lists_is_tested() =>
        Assert.Equal(
            Reloads.Listed.Order(),
            Reloads.OfAnyHost.Keys.Where(k => !k.Contains(',', StringComparison.Ordinal)).Concat(Own.Keys).Order()
        );
}
