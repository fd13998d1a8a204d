namespace WebBff.Tests.Sessions;

public sealed class InstancesTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [RedisFact]
    public async Task A_session_belongs_to_all_instances_and_survives_their_restart()
    {
        using var redis = RedisServer.Run();
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString };
        var (one, two) = (Start(settings), Start(settings));
        var browser = NewBrowser(one);
        var query = await browser.Begin("/orders");
        browser.GoTo(two);
        var back = await browser.Choose(query, "alice");
        var redirect = new UriBuilder(back) { Port = one.Address.Port }.Uri;
        using var signedIn = await browser.Follow(redirect);
        Assert.Equal(HttpStatusCode.Found, signedIn.StatusCode);
        await browser.User();

        browser.GoTo(two);
        await browser.User();

        await one.DisposeAsync();
        await two.DisposeAsync();
        foreach (var restarted in (WebHost[])[Start(settings), Start(settings)])
        {
            browser.GoTo(restarted);
            Assert.Equal("u-1001", (string?)(await browser.User())["sub"]);
            using var orders = await browser.Get("/api/orders?limit=1");
            Assert.Equal(HttpStatusCode.OK, orders.StatusCode);
        }
    }

    [RedisFact]
    public async Task The_keys_that_sessions_are_sealed_with_are_in_redis_and_nowhere_else()
    {
        using var redis = RedisServer.Run();
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString };
        var (one, two) = (Start(settings), Start(settings));
        var browser = await SignedIn(one);
        browser.GoTo(two);
        await browser.User();

        await one.DisposeAsync();
        await two.DisposeAsync();
        var ring = Assert.Single(
            redis.Command("KEYS", "bff:keys:{sessions}:*").Split("\r\n"),
            l => l.StartsWith("bff:", StringComparison.Ordinal)
        );
        redis.Command("DEL", ring);

        foreach (var restarted in (WebHost[])[Start(settings), Start(settings)])
        {
            browser.GoTo(restarted);
            using var sealedOff = await browser.Get("/bff/user");
            await Problem(sealedOff, 401, "session_expired");
        }
    }

    [RedisFact]
    public async Task While_redis_is_away_session_routes_answer_503_and_afterwards_everybody_is_still_signed_in()
    {
        using var redis = RedisServer.Run();
        var host = Start(new() { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);

        redis.Stop();
        foreach (var path in (string[])["/bff/user", "/api/orders", "/bff/sessions", "/bff/logout?sid=x"])
        {
            using var answer = await browser.Get(path);
            await Problem(answer, 503, "store_unavailable");
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }

        using var bearer = await host.Get("/api/search?q=shoe");
        using var nobody = await NewBrowser(host).Get("/api/orders");
        Assert.Equal(HttpStatusCode.OK, bearer.StatusCode);
        await Problem(nobody, 401, "missing_token");

        redis.Start();
        await Eventually.True(async () =>
        {
            using var answer = await browser.Get("/bff/user");
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}");
            return answer.StatusCode == HttpStatusCode.OK;
        });
    }

    [RedisFact]
    public async Task A_slow_connection_to_redis_has_the_same_timeout_as_an_answer()
    {
        using var redis = RedisServer.Run();
        redis.Freeze();
        var host = Start(new() { ["ConnectionStrings:redis"] = redis.ConnectionString, ["State:Timeout"] = "00:00:10" });

        var begun = NewBrowser(host).Begin();
        await Task.Delay(TimeSpan.FromSeconds(2)); // The slow connection itself is under test.
        redis.Continue();

        await begun;
    }

    [RedisFact]
    public async Task Session_data_in_redis_is_sealed_and_bounded()
    {
        using var redis = RedisServer.Run();
        var host = Start(new() { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var browser = await SignedIn(host);

        var keys = redis.Command("KEYS", "bff:session*").Split("\r\n").Where(l => l.StartsWith("bff:", StringComparison.Ordinal)).ToList();

        Assert.Contains(keys, k => k.StartsWith("bff:session:{", StringComparison.Ordinal));
        foreach (var key in keys)
        {
            Assert.DoesNotContain(browser.Session!, key, StringComparison.Ordinal);
            Assert.DoesNotContain("u-1001", key, StringComparison.Ordinal);
            Assert.NotEqual(":-1\r\n", redis.Command("PTTL", key));
        }

        var record = redis.Command("HGETALL", keys.First(k => k.EndsWith('}')));
        Assert.DoesNotContain("alice", record, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch(Token, record);
    }

    [Fact]
    public async Task A_user_sees_and_ends_sessions()
    {
        var host = Start();
        var (here, there, elsewhere, bob) = (await SignedIn(host), await SignedIn(host), await SignedIn(host), await SignedIn(host, "bob"));
        var list = await List(here);
        Assert.Equal(3, list.Count);
        Assert.Single(list, s => (bool)s!["current"]!);
        // Times have the same form everywhere.
        Assert.All(list, s => Assert.All(["created", "lastSeen"], m => Assert.EndsWith("Z", (string)s![m]!, StringComparison.Ordinal)));
        var thereId = (string)(await List(there)).Single(s => (bool)s!["current"]!)!["id"]!;
        var bobId = (string)(await List(bob)).Single()!["id"]!;

        using var ended = await here.Send(HttpMethod.Delete, "/bff/sessions/" + thereId, ("X-CSRF", "1"));
        using var foreign = await here.Send(HttpMethod.Delete, "/bff/sessions/" + bobId, ("X-CSRF", "1"));
        using var gone = await there.Get("/bff/user");
        await elsewhere.User();
        using var others = await here.Send(HttpMethod.Delete, "/bff/sessions", ("X-CSRF", "1"));
        using var alsoGone = await elsewhere.Get("/bff/user");

        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await Problem(foreign, 404, "not_found");
        await Problem(gone, 401, "missing_token");
        Assert.Equal(HttpStatusCode.NoContent, others.StatusCode);
        await Problem(alsoGone, 401, "missing_token");
        await here.User();
        await bob.User();

        using var signedOut = await bob.Send(HttpMethod.Delete, "/bff/sessions/" + bobId, ("X-CSRF", "1"));
        Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);
        // Only sessions ended from another session are audited, not a session's own end.
        Assert.Equal(2, host.Log.Entries.Count(e => e.Category == "Bff.Audit"));
        Assert.All(
            host.Log.Entries.Where(e => e.Category == "Bff.Audit"),
            e => Assert.Contains("session.ended", e.Message, StringComparison.Ordinal)
        );
    }

    private static async Task<JsonArray> List(Browser browser) => (await Ok(await browser.Get("/bff/sessions")))["items"]!.AsArray();
}
