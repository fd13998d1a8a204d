namespace PartnerBff.Tests.Portal;

/// <summary>Access to the portal, and protection against forged requests.</summary>
public sealed class GateTests(SharedSurroundings surroundings) : PortalTest(surroundings)
{
    [Theory]
    [InlineData("/portal")]
    [InlineData("/portal/keys")]
    [InlineData("/portal/requests?mode=test")]
    public async Task Without_a_session_the_sign_in_comes_first_and_leads_back(string path)
    {
        var host = StartPortal();

        using var answer = await host.Client.GetAsync(path);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/portal/login?returnUrl=" + Uri.EscapeDataString(path), answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task An_API_key_does_not_open_the_portal()
    {
        var host = StartPortal();

        using var answer = await Get(host, "/portal/keys", AcmeKey);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
    }

    [Theory]
    [InlineData("/portal/none", 404, "not_found")]
    [InlineData("/portal/none/at/all", 404, "not_found")]
    [InlineData("/portal/plan/withdraw", 405, "method_not_allowed")]
    public async Task A_mistyped_address_gives_people_a_page_with_a_way_back_and_programs_a_problem(string path, int status, string code)
    {
        var host = StartPortal();
        var carol = await SignedIn(host);

        using var opened = await carol.Open(path);
        Assert.Contains("href=\"/portal\"", await Page(opened, status), StringComparison.Ordinal);
        using var unknown = await new Person(host).Open(path);
        Assert.Contains("href=\"/portal\"", await Page(unknown, status), StringComparison.Ordinal);
        await Problem(await carol.Get(path), status, code);
    }

    [Fact]
    public async Task Outside_of_the_portal_a_mistyped_address_is_a_problem_for_everybody()
    {
        using var answer = await new Person(StartPortal()).Open("/portals");

        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_portals_cookie_is_no_credential_on_the_API()
    {
        var host = StartPortal();
        var carol = await SignedIn(host);
        await Page(await carol.Get("/portal"));

        await Problem(await carol.Get("/v1/account"), 401, "missing_token");
        await Problem(await carol.Get("/v2/orders"), 401, "missing_token");
    }

    [Fact]
    public async Task Without_the_role_there_is_a_page_that_says_so()
    {
        var host = StartPortal();
        var alice = await SignedIn(host, "alice");

        foreach (
            var path in (string[])["/portal", "/portal/keys", "/portal/keys/new", "/portal/requests", "/portal/plan", "/portal/webhooks"]
        )
        {
            Assert.Contains("partner-admin", await Page(await alice.Get(path), 403), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_company_without_an_account_has_no_portal()
    {
        var host = StartPortal();
        Surroundings.Identity.ChangeIdToken = claims => claims["tid"] = "umbrella";
        try
        {
            var stranger = await SignedIn(host);

            Assert.Contains("no account here", await Page(await stranger.Get("/portal"), 403), StringComparison.Ordinal);
        }
        finally
        {
            Surroundings.Identity.ChangeIdToken = null;
        }
    }

    [RedisFact]
    public async Task While_the_store_is_away_people_see_a_page_that_says_so_and_programs_get_a_problem()
    {
        var redis = StartRedis();
        var host = StartPortal(redis: redis);
        await Connected(host);
        var carol = await SignedIn(host);

        redis.Stop();
        foreach (var path in (string[])["/portal", "/portal/keys", "/docs"])
        {
            await Problem(await carol.Get(path), 503, "store_unavailable");
            using var opened = await carol.Open(path);
            Assert.Contains("Try again in a moment", await Page(opened, 503), StringComparison.Ordinal);
            Assert.Equal(TimeSpan.FromSeconds(1), opened.Headers.RetryAfter?.Delta);
            Assert.Contains("style-src 'self'", opened.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        }

        using var api = await carol.Open("/v1/account");
        Assert.Equal("application/problem+json", api.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bm90LWEtdG9rZW4")]
    public async Task A_form_without_its_token_changes_nothing(string? token)
    {
        var host = StartPortal();
        var carol = await SignedIn(host);

        await Page(
            await carol.Post("/portal/keys", token, ("name", "Forged"), ("mode", "live"), ("scopes", "orders.read"), ("expiry", "")),
            403
        );

        Assert.DoesNotContain("Forged", await Page(await carol.Get("/portal/keys")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_token_of_another_session_is_refused()
    {
        var host = StartPortal();
        var (carol, dave) = (await SignedIn(host), await SignedIn(host, "dave"));

        await Page(
            await carol.Post(
                "/portal/keys",
                await dave.Token(),
                ("name", "Forged"),
                ("mode", "live"),
                ("scopes", "orders.read"),
                ("expiry", "")
            ),
            403
        );

        Assert.DoesNotContain("Forged", await Page(await carol.Get("/portal/keys")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_that_another_site_sends_is_refused_even_with_its_token()
    {
        var host = StartPortal();
        var carol = await SignedIn(host);
        var token = await carol.Token();
        carol.Http.DefaultRequestHeaders.TryAddWithoutValidation("Sec-Fetch-Site", "cross-site");

        await Page(
            await carol.Post("/portal/keys", token, ("name", "Forged"), ("mode", "live"), ("scopes", "orders.read"), ("expiry", "")),
            403
        );
    }

    /// <summary>Browsers that know no Sec-Fetch-Site, and those that are told of no referrer.</summary>
    [Theory]
    [InlineData("https://evil.example", 403)]
    [InlineData("https://portal.example.evil.example", 403)]
    [InlineData("https://portal.example:8443", 403)]
    [InlineData("null", 200)]
    [InlineData("https://portal.example", 200)]
    [InlineData(null, 200)]
    public async Task A_form_that_comes_from_another_origin_is_refused_even_with_its_token(string? origin, int status)
    {
        var host = StartPortal();
        var carol = await SignedIn(host);
        var token = await carol.Token();
        carol.Http.DefaultRequestHeaders.Host = "portal.example";
        if (origin is not null)
        {
            carol.Http.DefaultRequestHeaders.TryAddWithoutValidation("Origin", origin);
        }

        await Page(
            await carol.Post("/portal/keys", token, ("name", "Made"), ("mode", "live"), ("scopes", "orders.read"), ("expiry", "")),
            status
        );
    }

    [Fact]
    public async Task Pages_allow_nothing_inline_and_are_not_kept()
    {
        var host = StartPortal();
        var carol = await SignedIn(host);

        using var answer = await carol.Get("/portal");

        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        Assert.DoesNotMatch("<style|style=|<script(?! src=)|onclick=", await Page(answer));
    }

    [Fact]
    public async Task Signing_out_ends_the_session()
    {
        var host = StartPortal();
        var carol = await SignedIn(host);
        var page = await Page(await carol.Get("/portal"));
        var signOut = System.Text.RegularExpressions.Regex.Match(page, "/portal/logout\\?sid=[^\"]+").Value;

        using var answer = await carol.Get(signOut);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await carol.Get("/portal")).StatusCode);
    }
}
