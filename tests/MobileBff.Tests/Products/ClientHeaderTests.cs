namespace MobileBff.Tests.Products;

/// <summary>Client headers that are forwarded to the services of a composition, and the cached copies that vary by them.</summary>
public sealed class ClientHeaderTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private static readonly Dictionary<string, string?> Forwarding = new()
    {
        ["Headers:Forward:0"] = "X-Device",
        ["Composition:product:product:Fresh"] = "01:00:00",
        ["Composition:product:pricing:Fresh"] = "01:00:00",
        ["Composition:home-feed:recommendations:Fresh"] = "01:00:00",
    };

    [Fact]
    public async Task Language_and_forwarded_headers_reach_every_service_of_the_callers_own_parts()
    {
        var host = Start(Forwarding);

        await Ok(await Get(host, "/home-feed", "u-1001", "de", "phone"));

        foreach (var service in (SampleService[])[Upstream.Users, Upstream.Orders, Upstream.Recommendations, Upstream.Notifications])
        {
            Assert.Equal(("de", "phone"), SentHeaders(service));
        }
    }

    [Fact]
    public async Task Parts_that_are_cached_per_caller_are_cached_once_for_each_header_value()
    {
        var host = Start(Forwarding);

        foreach (var language in (string[])["de", "fr", "de", "fr"])
        {
            await Ok(await Get(host, "/home-feed", "u-1001", language, "phone"));
        }

        Assert.Equal(["de", "fr"], Upstream.Recommendations.Calls.All.Select(c => c.Header("Accept-Language")));
    }

    [Fact]
    public async Task Parts_that_are_cached_for_all_callers_are_fetched_without_forwarded_headers()
    {
        var host = Start(Forwarding);

        await Ok(await Get(host, "/products/p-1", null, "de", "phone"));
        await Ok(await Get(host, "/products/p-1", null, "fr", "tablet"));

        Assert.Equal((null, null), SentHeaders(Upstream.Products));
        Assert.Equal((null, null), SentHeaders(Upstream.Pricing));
        Assert.Equal(1, Upstream.Products.Calls.Count);
    }

    [Fact]
    public async Task Parts_that_vary_by_a_header_are_cached_once_for_each_of_its_values()
    {
        var host = Start(new(Forwarding) { ["Upstreams:products:VaryBy:0"] = "Accept-Language" });

        foreach (var (language, device) in new[] { ("de", "phone"), ("fr", "phone"), ("de", "tablet"), ("fr", "tablet") })
        {
            await Ok(await Get(host, "/products/p-1", null, language, device));
        }

        Assert.Equal(["de", "fr"], Upstream.Products.Calls.All.Select(c => c.Header("Accept-Language")));
        Assert.All(Upstream.Products.Calls.All, c => Assert.Null(c.Header("X-Device")));
        Assert.All(Upstream.Pricing.Calls.All, c => Assert.Null(c.Header("Accept-Language")));
    }

    [Fact]
    public async Task Reads_in_flight_are_shared_only_with_equal_forwarded_headers()
    {
        var host = Start(Forwarding);
        var held = Upstream.Users.Faults.Hold();
        var answers = ((string[])["de", "fr", "de", "fr"]).Select(language => Get(host, "/me", "u-1001", language, "phone")).ToList();
        await Upstream.Users.Calls.ReachAsync(2).WaitAsync(WaitLimit);
        held.Dispose();

        foreach (var answer in await Task.WhenAll(answers))
        {
            await Ok(answer);
        }

        var told = Upstream.Users.Calls.All.Select(c => c.Header("Accept-Language")).ToList();
        Assert.Contains("de", told);
        Assert.Contains("fr", told);
    }

    [Fact]
    public async Task Pictures_that_vary_by_a_header_are_made_once_for_each_of_its_values()
    {
        var host = Start(new(Forwarding) { ["Upstreams:media:VaryBy:0"] = "X-Device" });

        foreach (var device in (string[])["phone", "tablet", "phone", "tablet"])
        {
            using var answer = await Get(host, "/images/p-1.jpg?w=160", null, "de", device);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("X-Device", answer.Headers.Vary);
        }

        Assert.Equal(["phone", "tablet"], Upstream.Media.Calls.All.Select(c => c.Header("X-Device")));
        Assert.All(Upstream.Media.Calls.All, c => Assert.Null(c.Header("Accept-Language")));
    }

    /// <summary>Neither the service nor the gateway's memory pays for a long value.</summary>
    [Theory]
    [InlineData(20_000, false)]
    [InlineData(1_025, false)]
    [InlineData(1_024, true)]
    public async Task A_header_value_that_is_too_long_is_not_forwarded(int length, bool reaches)
    {
        var host = Start(Forwarding);
        var device = new string('x', length);

        await Ok(await Get(host, "/home-feed", "u-1001", "de", device));

        Assert.Equal(("de", reaches ? device : null), SentHeaders(Upstream.Users));
    }

    [Fact]
    public async Task Headers_that_Connection_names_are_not_forwarded()
    {
        var host = Start(Forwarding);
        var answer = await RawHttp.Send(
            host.Address,
            $"GET /me HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {Surroundings.Token()}\r\nX-Device: phone\r\nAccept-Language: \u0001de\r\nConnection: X-Device\r\n\r\n",
            host.Leaks
        );

        Assert.Equal(200, answer.Status);
        Assert.Equal((null, null), SentHeaders(Upstream.Users));
    }

    private static (string?, string?) SentHeaders(SampleService service) =>
        (service.Calls.All[^1].Header("Accept-Language"), service.Calls.All[^1].Header("X-Device"));

    private static Task<HttpResponseMessage> Get(MobileHost host, string path, string? user, string language, string device)
    {
        var request = host.Request(HttpMethod.Get, path, user);
        request.Headers.TryAddWithoutValidation("Accept-Language", language);
        request.Headers.TryAddWithoutValidation("X-Device", device);
        return host.Client.SendAsync(request);
    }
}
