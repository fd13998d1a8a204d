namespace WebBff.Tests.Sessions;

public sealed class SignInTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public async Task A_user_signs_in_is_known_and_signs_out()
    {
        var host = Start();
        var browser = await SignedIn(host);

        var user = await browser.User();
        using var orders = await browser.Get("/api/orders?limit=1");
        using var exit = await browser.Send(HttpMethod.Get, (string)user["logoutUrl"]!);
        using var after = await browser.Get("/api/orders?limit=1");

        Assert.Equal("u-1001", (string?)user["sub"]);
        Assert.Equal("Alice Moreau", (string?)user["name"]);
        Assert.InRange((int)user["sessionExpiresIn"]!, 1, 1800);
        Assert.Single((await Ok(orders))["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.Found, exit.StatusCode);
        Assert.StartsWith(
            Surroundings.Identity.Authority + "/end-session?client_id=web-bff&logout_hint=",
            exit.Headers.Location!.OriginalString,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("id_token", exit.Headers.Location.OriginalString, StringComparison.Ordinal);
        await Problem(after, 401, "missing_token");
    }

    [Fact]
    public async Task Scripts_and_other_sites_cannot_use_the_cookie_and_no_token_reaches_the_browser()
    {
        var host = Start();
        var browser = NewBrowser(host);

        using var answer = await browser.TrySignIn();

        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"), c => c.StartsWith("bff=", StringComparison.Ordinal));
        Assert.Contains("; path=/; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        Assert.DoesNotContain("domain", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.All(browser.Cookies.GetCookies(host.Address).Cast<Cookie>(), c => Assert.DoesNotMatch(Token, c.Value));
        Assert.DoesNotMatch(Token, (await browser.User()).ToJsonString());
    }

    [Fact]
    public async Task Sign_in_asks_the_provider_for_a_code_with_pkce_state_and_nonce()
    {
        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(await NewBrowser(Start()).Begin());

        Assert.Equal("code", query["response_type"]);
        Assert.Equal("S256", query["code_challenge_method"]);
        Assert.All(["state", "nonce", "code_challenge"], name => Assert.True(query[name].ToString().Length >= 43, name));
        Assert.EndsWith("/bff/callback", query["redirect_uri"].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_in_again_makes_another_cookie_and_ends_the_former_session()
    {
        var host = Start();
        var browser = await SignedIn(host);
        var former = browser.Session!;

        await browser.SignIn();
        var thief = NewBrowser(host);
        thief.Session = former;

        Assert.NotEqual(former, browser.Session);
        using var answer = await thief.Get("/bff/user");
        await Problem(answer, 401, "missing_token");
    }

    [Fact]
    public async Task A_planted_session_id_is_not_used_by_a_sign_in()
    {
        var host = Start();
        var victim = NewBrowser(host);
        victim.Session = new string('A', 43);

        await victim.SignIn();
        var attacker = NewBrowser(host);
        attacker.Session = new string('A', 43);

        Assert.NotEqual(attacker.Session, victim.Session);
        using var answer = await attacker.Get("/bff/user");
        await Problem(answer, 401, "missing_token");
    }

    [Fact]
    public async Task Several_tabs_can_sign_in_at_once()
    {
        var browser = NewBrowser(Start());
        var first = await browser.Begin("/orders");
        var second = await browser.Begin("/products");

        using var one = await browser.Follow(await browser.Choose(first, "alice"));
        using var two = await browser.Follow(await browser.Choose(second, "alice"));

        Assert.Equal("/orders", one.Headers.Location!.OriginalString);
        Assert.Equal("/products", two.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task Replaying_a_used_answer_of_the_provider_leads_only_a_signed_in_user_home(bool onRedis)
    {
        using var redis = onRedis ? RedisServer.Run() : null;
        var host = Start(new() { ["ConnectionStrings:redis"] = redis?.ConnectionString });
        var browser = NewBrowser(host);
        var back = await browser.Choose(await browser.Begin("/orders"), "alice");
        using var first = await browser.Follow(back);
        var (session, codes) = (browser.Session, Surroundings.Identity.Calls[IdentityEndpoint.Token]);

        using var again = await browser.Follow(back);
        using var elsewhere = await NewBrowser(host).Follow(back);
        using var never = await browser.Follow(Browser.With(back, "state", "0." + new string('A', 43)));

        Assert.Equal("/orders", first.Headers.Location!.OriginalString);
        Assert.Equal((HttpStatusCode.Found, "/"), (again.StatusCode, again.Headers.Location?.OriginalString));
        Assert.Equal((session, codes), (browser.Session, Surroundings.Identity.Calls[IdentityEndpoint.Token]));
        await Problem(elsewhere, 400, "malformed_request");
        await Problem(never, 400, "malformed_request");
    }

    [Theory]
    [InlineData("Null")]
    [InlineData("Unauthorized")]
    public async Task An_anonymous_user_gets_null_or_401_as_configured(string anonymousUser)
    {
        var (host, clock) = StartClocked(new() { ["Session:AnonymousUser"] = anonymousUser });
        var browser = await SignedIn(host);
        clock.Advance(TimeSpan.FromMinutes(31));

        (string What, string Code, HttpResponseMessage Answer)[] asked =
        [
            ("no cookie", "missing_token", await NewBrowser(host).Send(HttpMethod.Get, "/bff/user")),
            ("a session that is over", "session_expired", await browser.Get("/bff/user")),
        ];
        using var other = await NewBrowser(host).Get("/bff/sessions");
        using var token = await NewBrowser(host).Send(HttpMethod.Get, "/bff/user", ("Authorization", "Bearer no-token"));
        using var written = await NewBrowser(host).Send(HttpMethod.Delete, "/bff/user");

        foreach (var (what, code, answer) in asked)
        {
            if (anonymousUser == "Null")
            {
                Assert.True(answer.StatusCode == HttpStatusCode.OK, what);
                Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
                Assert.Equal("null", await answer.Content.ReadAsStringAsync());
                Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
                Assert.Empty(answer.Headers.WwwAuthenticate);
            }
            else
            {
                await Problem(answer, 401, code);
            }

            answer.Dispose();
        }

        await Problem(other, 401, "missing_token"); // The setting covers only this one resource,
        await Problem(written, 401, "missing_token"); // and only reading it.
        Assert.Equal(HttpStatusCode.Unauthorized, token.StatusCode);
        Assert.Equal("u-1002", (string?)(await (await SignedIn(host, "bob")).User())["sub"]);
    }

    [Theory]
    [InlineData(IdentityEndpoint.Token, IdentityFault.Down)]
    [InlineData(IdentityEndpoint.Token, IdentityFault.Unavailable)]
    [InlineData(IdentityEndpoint.Token, IdentityFault.Garbage)]
    [InlineData(IdentityEndpoint.Jwks, IdentityFault.Down)]
    [InlineData(IdentityEndpoint.Discovery, IdentityFault.Garbage)]
    public async Task A_provider_that_is_away_gives_503_and_no_session(IdentityEndpoint endpoint, IdentityFault fault)
    {
        var browser = NewBrowser(Start());
        Surroundings.Identity.Faults[endpoint] = fault;

        using var answer = await browser.Send(HttpMethod.Get, "/bff/login") is { StatusCode: HttpStatusCode.Found } begun
            ? await browser.Follow(await browser.Choose(begun.Headers.Location!.Query, "alice"))
            : await browser.Send(HttpMethod.Get, "/bff/login");

        var problem = await Problem(answer, 503, "upstream_unavailable");
        Assert.DoesNotContain(new Uri(Surroundings.Identity.Authority).Authority, problem.ToJsonString(), StringComparison.Ordinal);
        Assert.Null(browser.Session);
    }

    [Fact]
    public async Task A_provider_that_rolls_its_keys_between_sign_ins_is_followed()
    {
        var (host, clock) = StartClocked();
        await SignedIn(host);

        Surroundings.Identity.RotateKeys();
        clock.Advance(TimeSpan.FromSeconds(3));

        await SignedIn(host, "bob");
    }
}
