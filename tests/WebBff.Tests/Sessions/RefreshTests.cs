namespace WebBff.Tests.Sessions;

public sealed class RefreshTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private static readonly TimeSpan UntilDue = TimeSpan.FromMinutes(9.5);
    private static readonly TimeSpan UntilOver = TimeSpan.FromMinutes(11);

    [Fact]
    public async Task Racing_requests_make_one_refresh()
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);
        var before = Surroundings.Identity.Calls[IdentityEndpoint.Refresh];
        clock.Advance(UntilOver);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => browser.Get("/api/orders?limit=1")));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.Equal(before + 1, Surroundings.Identity.Calls[IdentityEndpoint.Refresh]);
    }

    [Theory]
    [RedisData(false)]
    [RedisData(true)]
    public async Task Racing_requests_on_two_instances_make_one_refresh(bool isOver)
    {
        using var redis = RedisServer.Run();
        var clock = NewClock();
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString };
        var (one, two) = (Start(settings, s => s.Replace(clock)), Start(settings, s => s.Replace(clock)));
        var browser = await SignedIn(one);
        var other = NewBrowser(two);
        other.Session = browser.Session;
        var before = Surroundings.Identity.Calls[IdentityEndpoint.Refresh];
        clock.Advance(isOver ? UntilOver : UntilDue);

        var answers = Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? browser : other).Get("/api/orders?limit=1")));
        await Eventually.True(() =>
        {
            // The instance that waits polls for the other's refresh; its time limit must not pass sooner than in real time.
            clock.Advance(TimeSpan.FromMilliseconds(5));
            return answers.IsCompleted;
        });

        Assert.All(await answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.Equal(before + 1, Surroundings.Identity.Calls[IdentityEndpoint.Refresh]);
    }

    [Fact]
    public async Task A_silent_provider_holds_a_request_whose_token_is_valid_for_no_longer_than_a_second()
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);
        clock.Advance(UntilDue);
        Surroundings.Identity.Faults[IdentityEndpoint.Token] = IdentityFault.Hang;

        var asked = browser.Get("/api/orders?limit=1");
        await Eventually.True(() => clock.DueIn(TimeSpan.FromSeconds(1)) > 0);
        clock.Advance(TimeSpan.FromSeconds(1));
        using var answer = await asked;

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Surroundings.Identity.Faults.Clear();
    }

    /// <summary>The provider has spent the previous refresh token, so without the new one the user would be signed out.</summary>
    [RedisFact]
    public async Task A_refresh_token_that_came_when_the_store_went_away_is_saved_once_it_is_back()
    {
        using var redis = RedisServer.Run();
        var (host, clock) = StartClocked(new() { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);
        var before = Surroundings.Identity.Calls[IdentityEndpoint.Refresh];
        clock.Advance(UntilOver);
        Surroundings.Identity.ChangeIdToken = _ => redis.Stop();

        var asked = browser.Get("/api/orders?limit=1");
        await Eventually.True(() =>
        {
            if (Surroundings.Identity.Calls[IdentityEndpoint.Refresh] > before)
            {
                clock.Advance(TimeSpan.FromMilliseconds(500));
            }

            return asked.IsCompleted;
        });
        using var away = await asked;
        for (var i = 0; i < 60; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(500));
        }

        Surroundings.Identity.ChangeIdToken = null;
        redis.Start();
        var served = Eventually.True(async () =>
        {
            using var later = await browser.Get("/api/orders?limit=1");
            return later.StatusCode == HttpStatusCode.OK;
        });
        await Eventually.True(
            () =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(50)); // The next attempt to save is due from time to time.
                return served.IsCompleted;
            },
            TimeSpan.FromMinutes(1)
        );

        await served;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.Equal(before + 1, Surroundings.Identity.Calls[IdentityEndpoint.Refresh]);
    }

    [Fact]
    public async Task A_service_that_gets_callers_tokens_gets_the_sessions_refreshed_token()
    {
        var (host, clock) = StartClocked(new() { ["Upstreams:orders:ForwardAuthorization"] = "true" });
        var browser = await SignedIn(host);

        using var first = await browser.Get("/api/orders?limit=1");
        using var again = await browser.Get("/api/orders?limit=1");
        clock.Advance(UntilOver);
        using var refreshed = await browser.Get("/api/dashboard");

        Assert.All([first, again, refreshed], a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        var tokens = Upstream.Orders.Calls.All.Select(c => c.Header("Authorization")).ToList();
        Assert.All(tokens, t => Assert.Matches("^Bearer " + Token, t));
        Assert.Equal(tokens[0], tokens[1]);
        Assert.NotEqual(tokens[0], tokens[2]);
        Assert.All(Upstream.Users.Calls.All, c => Assert.Null(c.Header("Authorization")));
        Assert.All(Upstream.Orders.Calls.All, c => Assert.Null(c.Header("Cookie")));
    }

    [Fact]
    public async Task A_valid_token_is_not_refreshed()
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);
        var before = Surroundings.Identity.Calls[IdentityEndpoint.Refresh];
        clock.Advance(TimeSpan.FromMinutes(8));

        using var answer = await browser.Get("/api/orders?limit=1");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(before, Surroundings.Identity.Calls[IdentityEndpoint.Refresh]);
    }

    [Fact]
    public async Task A_refused_refresh_ends_the_session()
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);
        Surroundings.Identity.RevokeRefreshTokens("u-1001");
        clock.Advance(UntilDue);

        using var refused = await browser.Get("/api/orders");
        using var after = await browser.Get("/bff/user");

        await Problem(refused, 401, "session_expired");
        await Problem(after, 401, "session_expired");
    }

    [Fact]
    public async Task A_provider_that_is_away_signs_nobody_out()
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);
        Surroundings.Identity.Faults[IdentityEndpoint.Token] = IdentityFault.Unavailable;

        clock.Advance(UntilDue);
        using var stillGood = await browser.Get("/api/orders?limit=1");
        clock.Advance(UntilOver - UntilDue);
        using var over = await browser.Get("/api/orders?limit=1");
        Surroundings.Identity.Faults.Clear();
        clock.Advance(TimeSpan.FromSeconds(3));
        using var back = await browser.Get("/api/orders?limit=1");

        Assert.Equal(HttpStatusCode.OK, stillGood.StatusCode);
        await Problem(over, 503, "upstream_unavailable");
        Assert.Equal(HttpStatusCode.OK, back.StatusCode);
    }

    [Fact]
    public async Task A_session_slides_with_requests_but_not_with_reads_of_the_user_and_ends_when_idle()
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);

        clock.Advance(TimeSpan.FromMinutes(20));
        using var slides = await browser.Get("/api/orders?limit=1");
        clock.Advance(TimeSpan.FromMinutes(20));
        var left = (int)(await browser.User())["sessionExpiresIn"]!;
        clock.Advance(TimeSpan.FromMinutes(9));
        await browser.User();
        clock.Advance(TimeSpan.FromMinutes(2));
        using var idle = await browser.Get("/bff/user");

        Assert.Equal(HttpStatusCode.OK, slides.StatusCode);
        Assert.InRange(left, 590, 600);
        await Problem(idle, 401, "session_expired");
    }

    [Fact]
    public async Task A_session_ends_eight_hours_after_its_sign_in_however_busy_it_is()
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);
        for (var i = 0; i < 19; i++)
        {
            clock.Advance(TimeSpan.FromMinutes(25));
            using var busy = await browser.Get("/api/orders?limit=1");
            Assert.Equal(HttpStatusCode.OK, busy.StatusCode);
        }

        clock.Advance(TimeSpan.FromMinutes(10));
        using var over = await browser.Get("/api/orders?limit=1");
        await Problem(over, 401, "session_expired");
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_refreshed_token_updates_the_users_claims(bool onRedis)
    {
        using var redis = onRedis ? RedisServer.Run() : null;
        var (host, clock) = StartClocked(new() { ["ConnectionStrings:redis"] = redis?.ConnectionString });
        Surroundings.Identity.ChangeIdToken = claims => claims["roles"] = new JsonArray("premium", "auditor");
        var browser = await SignedIn(host);
        var before = await browser.User();

        Surroundings.Identity.ChangeIdToken = claims =>
        {
            (claims["roles"], claims["name"]) = (new JsonArray("premium"), "Alice Durand");
            claims.Remove("email");
        };
        clock.Advance(UntilDue);
        using var refreshed = await browser.Get("/api/orders?limit=1");
        var one = await browser.User();
        Surroundings.Identity.ChangeIdToken = claims => claims.Remove("roles");
        clock.Advance(UntilDue);
        using var again = await browser.Get("/api/orders?limit=1");
        var none = await browser.User();

        Assert.Equal("""["premium","auditor"]""", before["roles"]!.ToJsonString());
        // Claims that the token leaves out keep their values.
        Assert.Equal(("Alice Durand", "alice@example.com"), ((string?)one["name"], (string?)one["email"]));
        Assert.Equal("""["premium"]""", one["roles"]!.ToJsonString());
        Assert.Equal("[]", none["roles"]!.ToJsonString()); // Roles that the token leaves out are removed.
    }

    [Fact]
    public async Task A_refreshed_token_of_somebody_else_ends_the_session()
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);
        Surroundings.Identity.ChangeIdToken = claims => claims["sub"] = "u-1002";
        clock.Advance(UntilDue);

        using var answer = await browser.Get("/api/orders");

        await Problem(answer, 401, "session_expired");
    }

    [Theory]
    [InlineData(TokenFlaw.ForeignSignature)]
    [InlineData(TokenFlaw.WrongAudience)]
    [InlineData(TokenFlaw.WrongIssuer)]
    [InlineData(TokenFlaw.Expired)]
    [InlineData(TokenFlaw.WrongNonce)]
    public async Task A_refreshed_token_that_cannot_be_verified_gives_no_access_until_another_can(TokenFlaw flaw)
    {
        var (host, clock) = StartClocked();
        var browser = await SignedIn(host);
        Surroundings.Identity.IdTokenFlaw = flaw;

        clock.Advance(UntilOver);
        using var unverified = await browser.Get("/api/orders?limit=1");
        Surroundings.Identity.IdTokenFlaw = TokenFlaw.None;
        clock.Advance(TimeSpan.FromSeconds(3));
        using var verified = await browser.Get("/api/orders?limit=1");

        await Problem(unverified, 503, "upstream_unavailable");
        Assert.Equal(HttpStatusCode.OK, verified.StatusCode); // The provider accepts a refresh token only once, so the newest was kept.
    }

    /// <summary>
    /// RFC 6749 section 6: a new refresh token is optional. Instead of leaving it out, some providers send an empty text.
    /// </summary>
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task The_previous_refresh_token_is_kept_when_no_new_one_arrives(string? next)
    {
        await using var provider = await SparseProvider.Start();
        provider.ChangeAnswer = answer => answer["refresh_token"] = "first";
        var (host, clock) = StartClocked(new() { ["Session:Authority"] = provider.Address });
        using var browser = NewBrowser(host);
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login");
        using var back = await browser.Follow(provider.SignIn(begun.Headers.Location!));
        provider.ChangeAnswer = answer =>
        {
            if (next is not null)
            {
                answer["refresh_token"] = next;
            }
        };

        for (var refreshes = 1; refreshes <= 2; refreshes++)
        {
            clock.Advance(TimeSpan.FromMinutes(4.5)); // The host assumes five minutes when the provider does not say.
            using var answer = await browser.Get("/api/orders?limit=1");
            Assert.Equal((HttpStatusCode.OK, refreshes), (answer.StatusCode, provider.Refreshes));
        }

        Assert.Equal("first", provider.Asked.Last(asked => asked["grant_type"] == "refresh_token")["refresh_token"]);
    }

    /// <summary>OpenID Connect Core 1.0, section 12.2: the answer to a refresh may lack an id_token.</summary>
    [Theory]
    [InlineData("""["premium"]""", "sparse", """["premium"]""")]
    [InlineData("""[]""", "sparse", """[]""")]
    [InlineData(null, "sparse", """["auditor"]""")]
    [InlineData("""[]""", "another", """["auditor"]""")]
    public async Task Without_an_id_token_the_roles_are_those_of_an_access_token_that_names_them(
        string? roles,
        string subject,
        string expected
    )
    {
        await using var provider = await SparseProvider.Start();
        provider.Change = (_, claims) => claims["roles"] = new JsonArray("auditor");
        provider.ChangeAnswer = answer => answer["refresh_token"] = "next";
        provider.AccessToken = claims =>
        {
            (claims["aud"], claims["sub"]) = ("api", subject);
            if (roles is not null)
            {
                claims["roles"] = JsonNode.Parse(roles);
            }
        };
        var (host, clock) = StartClocked(new() { ["Session:Authority"] = provider.Address });
        using var browser = NewBrowser(host);
        using var begun = await browser.Send(HttpMethod.Get, "/bff/login");
        using var back = await browser.Follow(provider.SignIn(begun.Headers.Location!));
        Assert.Equal("""["auditor"]""", (await browser.User())["roles"]!.ToJsonString());

        clock.Advance(TimeSpan.FromMinutes(4.5)); // The host assumes five minutes when the provider does not say.
        using var refreshed = await browser.Get("/api/orders?limit=1");

        Assert.Equal(1, provider.Refreshes);
        Assert.Equal(expected, (await browser.User())["roles"]!.ToJsonString());
    }
}
