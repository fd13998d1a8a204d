using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace WebBff.Tests.Sessions;

public sealed class BackchannelLogoutTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
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
    [InlineData(TokenFlaw.WithNonce)]
    [InlineData(TokenFlaw.MissingEvents)]
    [InlineData(TokenFlaw.MissingJti)]
    [InlineData(TokenFlaw.MissingSidAndSub)]
    [InlineData(TokenFlaw.MissingIssuedAt)]
    [InlineData(TokenFlaw.MissingExpiry)]
    public async Task A_flawed_logout_token_ends_nothing(TokenFlaw flaw)
    {
        var host = Start();
        var browser = await SignedIn(host);

        using var answer = await Post(host, Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null, flaw));

        await Problem(answer, 400, "malformed_request");
        await browser.User();
    }

    /// <summary>
    /// OpenID Connect Back-Channel Logout 1.0, section 2.4: an object with an object as the member named after the event.
    /// </summary>
    [Theory]
    [InlineData("{}", false)]
    [InlineData("null", false)]
    [InlineData("true", false)]
    [InlineData("[]", false)]
    [InlineData("\"EVENT\"", false)]
    [InlineData("[\"EVENT\"]", false)]
    [InlineData("[{\"EVENT\":{}}]", false)]
    [InlineData("{\"https://events.example/other\":{}}", false)]
    [InlineData("{\"EVENT/\":{}}", false)]
    [InlineData("{\"other\":{\"EVENT\":{}}}", false)]
    [InlineData("{\"EVENT\":null}", false)]
    [InlineData("{\"EVENT\":\"\"}", false)]
    [InlineData("{\"EVENT\":[]}", false)]
    [InlineData("{\"EVENT\":{},\"https://events.example/other\":{\"x\":1}}", true)]
    [InlineData("{\"EVENT\":{\"reason\":\"fired\"}}", true)]
    public async Task Only_a_token_of_the_logout_event_ends_anything(string events, bool ends)
    {
        var host = Start();
        var browser = await SignedIn(host);
        var named = events.Replace("EVENT", "http://schemas.openid.net/event/backchannel-logout", StringComparison.Ordinal);

        using var answer = await Post(
            host,
            Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null, change: claims => claims["events"] = JsonNode.Parse(named))
        );
        using var user = await browser.Get("/bff/user");

        Assert.Equal(
            (ends ? HttpStatusCode.OK : HttpStatusCode.BadRequest, ends ? HttpStatusCode.Unauthorized : HttpStatusCode.OK),
            (answer.StatusCode, user.StatusCode)
        );
    }

    [Fact]
    public async Task An_id_token_or_access_token_is_not_accepted_as_a_logout_token()
    {
        var host = Start();
        var browser = await SignedIn(host);
        foreach (var token in (string[])["", "x", "a.b.c", Surroundings.Token("u-1001"), new string('a', 20_000)])
        {
            using var answer = await Post(host, token);
            await Problem(answer, 400, "malformed_request");
        }

        await browser.User();
    }

    [Fact]
    public async Task A_logout_token_need_not_say_its_type()
    {
        var host = Start();
        var browser = await SignedIn(host);

        using var answer = await Post(host, Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null, TokenFlaw.MissingType));
        using var user = await browser.Get("/bff/user");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (answer.StatusCode, user.StatusCode));
    }

    [Fact]
    public async Task A_subject_is_signed_out_everywhere_and_other_users_are_not()
    {
        var host = Start();
        var (one, two, bob) = (await SignedIn(host), await SignedIn(host), await SignedIn(host, "bob"));

        using var answer = await Post(host, Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        foreach (var browser in (Browser[])[one, two])
        {
            using var refused = await browser.Get("/bff/user");
            await Problem(refused, 401, "missing_token");
        }

        await bob.User();
        Assert.Equal(
            2,
            host.Log.Entries.Count(e =>
                e.Category == "Bff.Audit"
                && e.Message.Contains("session.ended", StringComparison.Ordinal)
                && e.Message.Contains("provider", StringComparison.Ordinal)
            )
        );
    }

    [Fact]
    public async Task A_logout_token_for_a_provider_session_ends_only_that_session()
    {
        var host = Start();
        var (one, two) = (await SignedIn(host, "carol"), await SignedIn(host, "dave"));
        var sid = Assert.Single(Surroundings.Identity.SessionsOf("u-1003"));

        using var foreign = await Post(host, Surroundings.Identity.CreateLogoutToken("web-bff", "u-1004", sid));
        await one.User();
        using var own = await Post(host, Surroundings.Identity.CreateLogoutToken("web-bff", null, sid));

        using var refused = await one.Get("/bff/user");
        await Problem(refused, 401, "missing_token");
        await two.User();
    }

    [Fact]
    public async Task A_logout_token_works_once()
    {
        var host = Start();
        await SignedIn(host);
        var token = Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null);
        using var first = await Post(host, token);
        var again = await SignedIn(host);

        using var replay = await Post(host, token);

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await Problem(replay, 400, "malformed_request");
        await again.User();
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task Only_one_of_simultaneous_copies_of_a_logout_token_is_accepted(bool onRedis)
    {
        using var redis = onRedis ? RedisServer.Run() : null;
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis?.ConnectionString };
        var one = Start(settings);
        var two = onRedis ? Start(settings) : one;
        var browser = await SignedIn(one);
        for (var round = 0; round < 5; round++)
        {
            var token = Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null);

            var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Post(i % 2 == 0 ? one : two, token)));

            Assert.Equal(
                [HttpStatusCode.OK, .. Enumerable.Repeat(HttpStatusCode.BadRequest, 9)],
                answers.Select(a => a.StatusCode).Order()
            );
        }

        using var user = await browser.Get("/bff/user");
        await Problem(user, 401, "missing_token");
    }

    /// <summary>
    /// When an instance is killed in between, the provider gets no answer and repeats its request, which works at once and only once.
    /// </summary>
    [RedisFact]
    public async Task A_logout_token_whose_instance_has_died_works_with_the_providers_next_request()
    {
        using var redis = RedisServer.Run();
        var host = Start(new() { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);
        var token = Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null);
        var payload = JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!;
        var name = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes((string)payload["jti"]!)));
        redis.Command("SET", $"bff:session:{{logout:{name}}}:lock", "of-the-dead", "PX", "1000");

        using var answer = await Post(host, token);
        using var user = await browser.Get("/bff/user");
        using var replay = await Post(host, token);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Problem(user, 401, "missing_token");
        await Problem(replay, 400, "malformed_request");
    }

    [RedisFact]
    public async Task A_logout_token_that_came_while_the_store_was_away_works_afterwards()
    {
        using var redis = RedisServer.Run();
        var host = Start(new() { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);
        var token = Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null);

        redis.Stop();
        using var away = await Post(host, token);
        redis.Start();

        await Problem(away, 503, "store_unavailable");
        await Eventually.True(async () =>
        {
            using var later = await Post(host, token);
            return later.StatusCode == HttpStatusCode.OK;
        });
        using var user = await browser.Get("/bff/user");
        await Problem(user, 401, "missing_token");
    }

    private static Task<HttpResponseMessage> Post(WebHost host, string token) =>
        host.Client.PostAsync("/bff/backchannel-logout", new FormUrlEncodedContent([KeyValuePair.Create("logout_token", token)]));
}
