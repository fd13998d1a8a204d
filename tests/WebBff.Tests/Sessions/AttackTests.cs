namespace WebBff.Tests.Sessions;

/// <summary>Attacks that must fail, in one table per entry point.</summary>
public sealed class AttackTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public async Task A_disguised_return_address_stays_on_this_host()
    {
        string[] foreign =
        [
            "",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "http:evil.example",
            "javascript:alert(1)",
            "evil.example",
            " /x",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie:a=b",
            "/%2fevil.example",
            "/%2F%2Fevil.example",
            "/%5cevil.example",
            "/..//evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%0d%0aSet-Cookie:a=b",
            "@evil.example",
            "?x",
            "#x",
            "/\u00a0/evil.example",
            "/" + new string('a', 3000),
            "data:text/html,x",
            "/%09/evil.example",
            "/a\\b",
            "/\u0000",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "HTTPS://evil.example",
            "JaVaScRiPt:alert(1)",
            "//127.0.0.1@evil.example",
            "//user:word@evil.example/x",
            "///\\evil.example",
            "%2f%2fevil.example",
            "%2Fevil.example",
            "/%5C%5Cevil.example",
            "\t//evil.example",
            "/ /evil.example",
            "/\u2028/evil.example",
            "/\u3000/evil.example",
            "/\u0085/evil.example",
            "\uff0f\uff0fevil.example",
            "\u2215\u2215evil.example",
            "//\u2488evil.example",
            "/%00",
            "/..\\evil.example",
        ];
        var browser = NewBrowser(Start());
        foreach (var address in foreign)
        {
            using var answer = await browser.Send(HttpMethod.Get, "/bff/login?returnUrl=" + Uri.EscapeDataString(address));
            Assert.True(
                answer.StatusCode == HttpStatusCode.BadRequest,
                $"'{address}' gave {(int)answer.StatusCode} {answer.Headers.Location}"
            );
        }

        using var twice = await browser.Send(HttpMethod.Get, "/bff/login?returnUrl=/a&returnUrl=//evil.example");
        await Problem(twice, 400, "validation_failed");
    }

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/orders?x=1&y=%2F", "/orders?x=1&y=%2F")]
    [InlineData("/#/products", "/#/products")]
    [InlineData("/a/../b", "/b")]
    [InlineData("/caf\u00e9", "/caf%C3%A9")]
    [InlineData("/search?q=\U0001F600", "/search?q=%F0%9F%98%80")]
    public async Task A_local_return_address_is_kept(string address, string location)
    {
        var browser = NewBrowser(Start());
        using var answer = await browser.TrySignIn(returnUrl: address);
        Assert.Equal(location, answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task A_cross_site_request_is_refused()
    {
        var host = Start();
        var browser = await SignedIn(host);
        (HttpMethod Method, string Path, (string, string)[] Headers)[] attacks =
        [
            (HttpMethod.Get, "/api/orders", []),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "0")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "true")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1, 1")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("Sec-Fetch-Site", "cross-site")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("Sec-Fetch-Site", "something-new")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("Origin", "https://evil.example")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("Origin", "null")]),
            (
                HttpMethod.Get,
                "/api/orders",
                [("X-CSRF", "1"), ("Origin", host.Address.GetLeftPart(UriPartial.Authority) + ".evil.example")]
            ),
            (HttpMethod.Get, "/api/orders", [("Sec-Fetch-Site", "same-origin")]),
            (HttpMethod.Get, "/API/orders", []),
            (HttpMethod.Get, "/%61pi/orders", []),
            (HttpMethod.Get, "/api/orders/", []),
            (HttpMethod.Get, "/api/orders?X-CSRF=1", []),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("X-CSRF", "1")]),
            (HttpMethod.Get, "/api/orders", [("X_CSRF", "1")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("Sec-Fetch-Site", "")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("Sec-Fetch-Site", "same-origin, cross-site")]),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("Origin", host.Address.GetLeftPart(UriPartial.Authority) + "0")]),
            (
                HttpMethod.Get,
                "/api/orders",
                [
                    ("X-CSRF", "1"),
                    ("Origin", host.Address.GetLeftPart(UriPartial.Authority).Replace("http:", "https:", StringComparison.Ordinal)),
                ]
            ),
            (HttpMethod.Get, "/api/orders", [("X-CSRF", "1"), ("Origin", "http://127.0.0.1")]),
            (HttpMethod.Post, "/api/orders", [("X-HTTP-Method-Override", "GET")]),
            (HttpMethod.Post, "/api/orders", [("Sec-Fetch-Site", "same-origin")]),
            (HttpMethod.Post, "/api/orders/o-6901/cancel", []),
            (HttpMethod.Patch, "/api/profile", [("Origin", "https://evil.example")]),
            (HttpMethod.Post, "/api/notifications/n-1/read", []),
            (HttpMethod.Delete, "/bff/sessions", []),
            (HttpMethod.Delete, "/bff/sessions", [("X-CSRF", "1"), ("Sec-Fetch-Site", "cross-site")]),
            (HttpMethod.Delete, "/bff/sessions/x", []),
        ];
        foreach (var (method, path, headers) in attacks)
        {
            using var answer = await browser.Send(method, path, headers);
            await Problem(answer, 403, "csrf_rejected");
        }

        using var head = await browser.Send(HttpMethod.Head, "/api/orders");
        Assert.Equal(HttpStatusCode.Forbidden, head.StatusCode);
        Assert.Equal(0, Upstream.Orders.Calls.Count);
        using var meant = await browser.Send(HttpMethod.Get, "/api/orders", ("X-CSRF", "1"));
        using var sameSite = await browser.Send(HttpMethod.Get, "/api/orders", ("X-CSRF", "1"), ("Sec-Fetch-Site", "same-site"));
        using var own = await browser.Send(
            HttpMethod.Get,
            "/api/orders",
            ("X-CSRF", "1"),
            ("Origin", host.Address.GetLeftPart(UriPartial.Authority))
        );
        Assert.All([meant, sameSite, own], a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
    }

    [Fact]
    public async Task A_cookie_that_names_no_session_is_no_credential()
    {
        var host = Start();
        var session = (await SignedIn(host)).Session!;
        var id = (string)(await Ok(await (await SignedIn(host)).Get("/bff/sessions")))["items"]![0]!["id"]!;
        string[] cookies =
        [
            "x",
            new string('A', 43),
            session[..^1],
            session + "A",
            session[1..] + "A",
            session.ToUpperInvariant(),
            id,
            "eyJhbGciOiJub25lIn0.e30.",
            new string('z', 3000),
            Uri.EscapeDataString(session + "\r\n"),
        ];
        foreach (var value in cookies)
        {
            var thief = NewBrowser(host);
            using var answer = await thief.Send(HttpMethod.Get, "/api/orders", ("Cookie", "bff=" + value), ("X-CSRF", "1"));
            await Problem(answer, 401, "missing_token");
        }

        using var elsewhere = await NewBrowser(host)
            .Send(HttpMethod.Get, "/api/orders", ("Cookie", "__Host-bff=" + session), ("X-CSRF", "1"));
        await Problem(elsewhere, 401, "missing_token");
    }

    [Fact]
    public async Task An_answer_of_the_provider_counts_once_in_the_browser_that_asked()
    {
        var host = Start();
        var victim = NewBrowser(host);
        var back = await victim.Choose(await victim.Begin(), "alice");
        var attacker = NewBrowser(host);
        var (other, otherState) = (NewBrowser(host), "");
        otherState = System.Web.HttpUtility.ParseQueryString((await other.Choose(await other.Begin(), "bob")).Query)["state"]!;
        Uri[] attacks =
        [
            Browser.With(back, "state", null),
            Browser.With(back, "state", "x"),
            Browser.With(back, "state", otherState),
            Browser.With(back, "state", "1" + System.Web.HttpUtility.ParseQueryString(back.Query)["state"]![1..]),
            new(back.OriginalString + "&state=second"),
        ];
        foreach (var attack in attacks)
        {
            using var refused = await victim.Follow(attack);
            await Problem(refused, 400, "malformed_request");
        }

        using (var elsewhere = await attacker.Follow(back))
        {
            await Problem(elsewhere, 400, "malformed_request");
        }

        var codes = Surroundings.Identity.Calls[IdentityEndpoint.Token];
        using var good = await victim.Follow(back);
        var cookies = victim.Cookies.GetCookieHeader(host.Address);
        using var replay = await victim.Follow(back);
        Assert.Equal(HttpStatusCode.Found, good.StatusCode);
        // A user who is already signed in is sent home.
        Assert.Equal((HttpStatusCode.Found, "/"), (replay.StatusCode, replay.Headers.Location?.OriginalString));
        Assert.Equal(codes + 1, Surroundings.Identity.Calls[IdentityEndpoint.Token]);
        Assert.Contains("bff=", cookies, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_is_spent_on_the_server_also_when_the_browser_kept_its_cookie()
    {
        var host = Start();
        var browser = NewBrowser(host);
        var back = await browser.Choose(await browser.Begin(), "alice");
        var kept = browser.Cookies.GetCookieHeader(host.Address);
        using var good = await browser.Follow(back);
        var codes = Surroundings.Identity.Calls[IdentityEndpoint.Token];

        // The cookie still holds the sealed state, but there is no session.
        using var replay = await NewBrowser(host).Send(HttpMethod.Get, back.PathAndQuery, ("Cookie", kept));

        await Problem(replay, 400, "malformed_request");
        Assert.Equal(codes, Surroundings.Identity.Calls[IdentityEndpoint.Token]);
    }

    [Theory]
    [InlineData("iss", "https://evil.example")]
    [InlineData("iss", null)]
    [InlineData("code", null)]
    [InlineData("code", "code_that_nobody_gave")]
    public async Task Another_issuer_or_code_signs_nobody_in(string name, string? value)
    {
        var browser = NewBrowser(Start());
        using var answer = await browser.Follow(Browser.With(await browser.Choose(await browser.Begin(), "alice"), name, value));
        await Problem(answer, 400, "malformed_request");
        Assert.Null(browser.Session);
    }

    [Fact]
    public async Task A_refusal_of_the_provider_signs_nobody_in()
    {
        var browser = NewBrowser(Start());
        var back = Browser.With(Browser.With(await browser.Choose(await browser.Begin(), "alice"), "code", null), "error", "access_denied");
        using var answer = await browser.Follow(back);
        await Problem(answer, 403, "forbidden");
        Assert.Null(browser.Session);
    }

    [Theory]
    [InlineData(TokenFlaw.WrongIssuer)]
    [InlineData(TokenFlaw.WrongAudience)]
    [InlineData(TokenFlaw.Expired)]
    [InlineData(TokenFlaw.IssuedInTheFuture)]
    [InlineData(TokenFlaw.ForeignSignature)]
    [InlineData(TokenFlaw.NoSignature)]
    [InlineData(TokenFlaw.PublicKeyAsSecret)]
    [InlineData(TokenFlaw.UnknownKey)]
    [InlineData(TokenFlaw.WrongType)]
    [InlineData(TokenFlaw.WrongNonce)]
    [InlineData(TokenFlaw.MissingNonce)]
    [InlineData(TokenFlaw.MissingIssuedAt)]
    [InlineData(TokenFlaw.MissingExpiry)]
    public async Task A_flawed_id_token_signs_nobody_in(TokenFlaw flaw)
    {
        var browser = NewBrowser(Start());
        Surroundings.Identity.IdTokenFlaw = flaw;
        using var answer = await browser.TrySignIn();
        await Problem(answer, 400, "malformed_request");
        Assert.Null(browser.Session);
    }

    [Theory]
    [InlineData("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("azp", "somebody-else")]
    [InlineData("sub", "")]
    [InlineData("sub", "u-1\n")]
    public async Task A_wrong_claim_signs_nobody_in(string claim, string value)
    {
        var browser = NewBrowser(Start());
        Surroundings.Identity.ChangeIdToken = claims => claims[claim] = value;
        using var answer = await browser.TrySignIn();
        await Problem(answer, 400, "malformed_request");
        Assert.Null(browser.Session);
    }

    [Fact]
    public async Task Signing_out_needs_the_sessions_own_sid()
    {
        var host = Start();
        var browser = await SignedIn(host);
        var other = (string)(await (await SignedIn(host, "bob")).User())["logoutUrl"]!;
        foreach (var path in (string[])["/bff/logout", "/bff/logout?sid=", "/bff/logout?sid=x", other])
        {
            using var answer = await browser.Send(HttpMethod.Get, path);
            await Problem(answer, 403, "forbidden");
        }

        await browser.User();
    }
}
