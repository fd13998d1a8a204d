namespace MobileBff.Tests.HomeFeed;

public sealed class HomeFeedTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task Home_feed_is_made_of_four_services()
    {
        var host = Start();

        var feed = await Ok(await host.Get("/home-feed"));

        Assert.Equal(["user", "orders", "recommendations", "unread", "_meta"], feed.Select(m => m.Key));
        Assert.Equal("""{"id":"u-1001","name":"Alice Moreau","avatar":"/images/u-1001.jpg?w=96"}""", feed["user"]!.ToJsonString());
        Assert.InRange(feed["orders"]!.AsArray().Count, 1, 5);
        Assert.Equal(
            ["id", "status", "total", "currency", "date", "itemCount", "thumb"],
            feed["orders"]![0]!.AsObject().Select(m => m.Key)
        );
        Assert.Equal(10, feed["recommendations"]!.AsArray().Count);
        Assert.Equal(["id", "name", "price", "currency", "thumb"], feed["recommendations"]![0]!.AsObject().Select(m => m.Key));
        Assert.Matches(@"^/images/p-\d+\.jpg\?w=160$", (string)feed["recommendations"]![0]!["thumb"]!);
        Assert.Equal(["servicesCalled", "servicesSucceeded", "totalLatencyMs"], feed["_meta"]!.AsObject().Select(m => m.Key));
        Assert.Equal((4, 4), ((int)feed["_meta"]!["servicesCalled"]!, (int)feed["_meta"]!["servicesSucceeded"]!));
    }

    [Fact]
    public async Task All_four_calls_are_under_way_before_any_is_answered()
    {
        var host = Start();
        var services = Feed();
        var held = services.Select(s => s.Faults.Hold()).ToList();

        var answer = host.Get("/home-feed");
        await Task.WhenAll(services.Select(s => s.Calls.ReachAsync(1))).WaitAsync(WaitLimit);
        Assert.False(answer.IsCompleted);
        held.ForEach(h => h.Dispose());

        Assert.Equal(4, (int)(await Ok(await answer))["_meta"]!["servicesSucceeded"]!);
        Assert.All(services, s => Assert.Equal(1, s.Calls.Count));
    }

    [Theory]
    [InlineData(FaultMode.Status, "failed")]
    [InlineData(FaultMode.Reset, "failed")]
    [InlineData(FaultMode.ResetMidBody, "failed")]
    [InlineData(FaultMode.Garbage, "failed")]
    [InlineData(FaultMode.Html, "failed")]
    [InlineData(FaultMode.Empty, "failed")]
    [InlineData(FaultMode.WrongType, "failed")]
    [InlineData(FaultMode.Truncated, "failed")]
    [InlineData(FaultMode.Oversize, "failed")]
    [InlineData(FaultMode.Bomb, "failed")]
    [InlineData(FaultMode.Hang, "timeout")]
    [InlineData(FaultMode.Endless, "timeout")]
    public async Task Home_feed_is_served_without_picks_when_recommendations_fail(FaultMode mode, string degraded)
    {
        var host = Start(degraded == "timeout" ? new() { ["Composition:home-feed:recommendations:Timeout"] = "00:00:00.250" } : null);
        Upstream.Recommendations.Faults.Set(mode);

        var feed = await Ok(await host.Get("/home-feed"));

        Assert.True(feed.ContainsKey("recommendations"));
        Assert.Null(feed["recommendations"]);
        Assert.NotNull(feed["orders"]);
        Assert.Equal($$"""{"recommendations":"{{degraded}}"}""", feed["_meta"]!["degraded"]!.ToJsonString());
        Assert.Equal((4, 3), ((int)feed["_meta"]!["servicesCalled"]!, (int)feed["_meta"]!["servicesSucceeded"]!));
    }

    [Fact]
    public async Task A_part_that_is_switched_off_is_null_and_unavailable_without_a_restart()
    {
        var host = Start();
        host.Configure(("Composition:home-feed:notifications:Enabled", "false"));

        var feed = await Ok(await host.Get("/home-feed"));

        Assert.True(feed.ContainsKey("unread"));
        Assert.Null(feed["unread"]);
        Assert.Equal("""{"notifications":"unavailable"}""", feed["_meta"]!["degraded"]!.ToJsonString());
        Assert.Equal(0, Upstream.Notifications.Calls.Count);
    }

    [Theory]
    [InlineData(FaultMode.Status, 502, "upstream_failed")]
    [InlineData(FaultMode.Reset, 502, "upstream_failed")]
    [InlineData(FaultMode.ResetMidBody, 502, "upstream_failed")]
    [InlineData(FaultMode.Garbage, 502, "upstream_failed")]
    [InlineData(FaultMode.Html, 502, "upstream_failed")]
    [InlineData(FaultMode.Hang, 504, "upstream_timeout")]
    [InlineData(FaultMode.Endless, 504, "upstream_timeout")]
    public async Task Home_feed_is_a_problem_and_the_other_calls_are_cancelled_when_users_fail(FaultMode mode, int status, string code)
    {
        var host = Start(status == 504 ? new() { ["Composition:home-feed:user:Timeout"] = "00:00:00.250" } : null);
        SampleService[] others = [Upstream.Orders, Upstream.Recommendations, Upstream.Notifications];
        var underWay = Task.WhenAll(others.Select(s => s.Calls.FirstAsync(_ => true)));
        foreach (var other in others)
        {
            other.Faults.Set(FaultMode.Hang);
        }

        Upstream.Users.Faults.Set(new Fault { Mode = mode, Until = status == 504 ? null : underWay });

        var problem = await Problem(await host.Get("/home-feed"), status, code);

        Assert.Equal("user", (string?)problem["section"]);
        Assert.DoesNotContain("127.0.0.1:" + Upstream.Users.Address.Port, problem.ToJsonString(), StringComparison.Ordinal);
        if (status != 504)
        {
            foreach (var call in await underWay.WaitAsync(WaitLimit))
            {
                Assert.True(await call.Ended.WaitAsync(WaitLimit), $"{call.Service} was not cancelled");
            }
        }
    }

    [Fact]
    public async Task A_user_that_is_not_there_is_not_found()
    {
        var host = Start();
        Upstream.Users.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 404 });

        await Problem(await host.Get("/home-feed"), 404, "not_found");
    }

    [Fact]
    public async Task Picks_are_kept_for_their_caller_alone()
    {
        var host = Start();

        await Ok(await host.Get("/home-feed", "u-1001"));
        var again = await host.Get("/home-feed", "u-1001");
        await Ok(await host.Get("/home-feed", "u-1002"));

        Assert.Contains("recommendations;dur=", again.Headers.GetValues("Server-Timing").Single(), StringComparison.Ordinal);
        Assert.Contains("desc=\"cached\"", again.Headers.GetValues("Server-Timing").Single(), StringComparison.Ordinal);
        Assert.Equal(
            ["/users/u-1001/recommendations", "/users/u-1002/recommendations"],
            Upstream.Recommendations.Calls.All.Select(c => c.Path)
        );
    }

    [Fact]
    public async Task Server_timing_names_every_part_and_the_total()
    {
        var host = Start();

        var timing = (await host.Get("/home-feed")).Headers.GetValues("Server-Timing").Single();

        Assert.Matches(
            """^user;dur=[\d.]+;desc="live", orders;dur=[\d.]+;desc="live", recommendations;dur=[\d.]+;desc="live", notifications;dur=[\d.]+;desc="live", total;dur=[\d.]+$""",
            timing
        );
    }

    [Fact]
    public async Task Home_feed_is_at_most_thirty_percent_of_the_bytes_it_replaces()
    {
        var host = Start();
        using var direct = new HttpClient();
        var replaced = 0;
        foreach (
            var (service, path) in new[]
            {
                (Upstream.Users.Address, "users/u-1001"),
                (Upstream.Orders.Address, "users/u-1001/orders?limit=5"),
                (Upstream.Recommendations.Address, "users/u-1001/recommendations?limit=10"),
                (Upstream.Notifications.Address, "users/u-1001/notifications?unread=true"),
            }
        )
        {
            replaced += (await direct.GetByteArrayAsync(new Uri(service, path))).Length;
        }

        var feed = (await (await host.Get("/home-feed")).Content.ReadAsByteArrayAsync()).Length;

        Assert.True(feed <= replaced * 0.30, $"{feed} of {replaced} bytes: {100.0 * feed / replaced:0.0} %");
    }

    private SampleService[] Feed() => [Upstream.Users, Upstream.Orders, Upstream.Recommendations, Upstream.Notifications];
}
