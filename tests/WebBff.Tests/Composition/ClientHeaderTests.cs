namespace WebBff.Tests.Composition;

/// <summary>Client headers that are forwarded to the services of a composition over REST, GraphQL and gRPC.</summary>
public sealed class ClientHeaderTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private static readonly Dictionary<string, string?> Forwarding = new()
    {
        ["Headers:Forward:0"] = "X-Device",
        ["Composition:product:product:Fresh"] = "01:00:00",
        ["Composition:product:pricing:Fresh"] = "01:00:00",
        ["Composition:dashboard:recommendations:Fresh"] = "01:00:00",
    };

    [Fact]
    public async Task Language_and_forwarded_headers_reach_every_service_of_the_dashboard()
    {
        var browser = await SignedIn(Start(Forwarding));

        await Ok(await Get(browser, "/api/dashboard", "de", "phone"));
        await Ok(await Get(browser, "/api/dashboard", "fr", "phone"));

        foreach (var service in (SampleService[])[Upstream.Users, Upstream.Orders, Upstream.Notifications, Upstream.Recommendations])
        {
            Assert.Equal([("de", "phone"), ("fr", "phone")], SentHeaders(service));
        }
    }

    [Fact]
    public async Task Product_and_prices_that_vary_by_a_header_are_kept_once_for_each_of_its_values()
    {
        var browser = await SignedIn(
            Start(
                new(Forwarding) { ["Upstreams:catalog:VaryBy:0"] = "Accept-Language", ["Upstreams:pricing:VaryBy:0"] = "accept-language" }
            )
        );

        foreach (var (language, device) in new[] { ("de", "phone"), ("fr", "phone"), ("de", "tablet"), ("fr", "tablet") })
        {
            await Ok(await Get(browser, "/api/products/p-1", language, device));
        }

        Assert.Equal([("de", null), ("fr", null)], SentHeaders(Upstream.Catalog)); // gRPC.
        Assert.Equal([("de", null), ("fr", null)], SentHeaders(Upstream.Pricing)); // GraphQL.
        Assert.All(SentHeaders(Upstream.Inventory), told => Assert.Equal((null, null), told));
    }

    private static List<(string?, string?)> SentHeaders(SampleService service) =>
        [.. service.Calls.All.Select(c => (c.Header("Accept-Language"), c.Header("X-Device")))];

    private static Task<HttpResponseMessage> Get(Browser browser, string path, string language, string device) =>
        browser.Send(
            HttpMethod.Get,
            path,
            ("X-CSRF", "1"),
            ("Sec-Fetch-Site", "same-origin"),
            ("Accept-Language", language),
            ("X-Device", device)
        );
}
