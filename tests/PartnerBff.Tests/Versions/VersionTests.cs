namespace PartnerBff.Tests.Versions;

public sealed class VersionTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    private static Dictionary<string, string?> Ending(DateTimeOffset deprecation, DateTimeOffset sunset) =>
        new()
        {
            ["Versions:v1:Deprecation"] = deprecation.ToString("O"),
            ["Versions:v1:Sunset"] = sunset.ToString("O"),
            ["Versions:v1:Link"] = "https://developer.example.com/migrate",
            ["Versions:v1:Successor"] = "/v2",
        };

    [Fact]
    public async Task Every_answer_of_a_deprecated_version_says_so_including_refusals()
    {
        var deprecation = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var host = Start(Ending(deprecation, DateTimeOffset.UtcNow.AddYears(1)));
        foreach (
            var response in (HttpResponseMessage[])[await Get(host, "/v1/orders?limit=1", AcmeKey), await Get(host, "/v1/orders", null)]
        )
        {
            Assert.Equal("@" + deprecation.ToUnixTimeSeconds(), response.Headers.GetValues("Deprecation").Single());
            Assert.True(
                DateTimeOffset.Parse(response.Headers.GetValues("Sunset").Single(), System.Globalization.CultureInfo.InvariantCulture)
                    > DateTimeOffset.UtcNow
            );
            var links = string.Join(", ", response.Headers.GetValues("Link"));
            Assert.Contains("<https://developer.example.com/migrate>; rel=\"deprecation\"", links, StringComparison.Ordinal);
            Assert.Contains("/v2>; rel=\"successor-version\"", links, StringComparison.Ordinal);
        }

        Assert.Contains(
            "rel=\"next\"",
            string.Join(", ", (await Get(host, "/v1/orders?limit=1", AcmeKey)).Headers.GetValues("Link")),
            StringComparison.Ordinal
        );
        Assert.False((await Get(host, "/v2/orders?limit=1", AcmeKey)).Headers.Contains("Deprecation"));
    }

    [Fact]
    public async Task After_its_sunset_a_version_is_gone()
    {
        var host = Start(Ending(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddDays(-1)));
        await Problem(await Get(host, "/v1/orders", AcmeKey), 410, "version_retired");
        await Json(await Get(host, "/v2/orders", AcmeKey));
    }

    [Fact]
    public void A_host_with_less_than_six_months_of_notice_does_not_start()
    {
        var now = DateTimeOffset.UtcNow;
        var refused = Assert.ThrowsAny<Exception>(() => Start(Ending(now, now.AddMonths(5))));
        Assert.Contains("Versions:v1:Sunset", refused.ToString(), StringComparison.Ordinal);
    }
}
