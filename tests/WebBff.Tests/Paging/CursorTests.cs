namespace WebBff.Tests.Paging;

public sealed class CursorTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repetition()
    {
        var host = Start();
        var ids = new List<string>();
        for (string? cursor = null; ; )
        {
            var page = await Ok(await host.Get("/api/orders?limit=7" + (cursor is null ? "" : "&cursor=" + cursor)));
            ids.AddRange(page["items"]!.AsArray().Select(i => (string)i!["id"]!));
            cursor = (string?)page["nextCursor"];
            Assert.Equal(cursor is not null, (bool)page["hasMore"]!);
            if (cursor is null)
            {
                break;
            }

            Assert.Matches("^[A-Za-z0-9_-]+$", cursor);
        }

        Assert.Equal(ids.Distinct(), ids);
        Assert.True(ids.Count > 7);
    }

    [Fact]
    public async Task A_cursor_opens_only_what_it_was_given_for()
    {
        var host = Start();
        var cursor = (string)(await Ok(await host.Get("/api/orders?limit=2")))["nextCursor"]!;
        var shoes = (string)(await Ok(await host.Get("/api/products?limit=2&category=shoes")))["nextCursor"]!;
        var reviews = (string)(await Ok(await host.Get("/api/products/p-1/reviews?limit=2")))["nextCursor"]!;
        (string Path, string User)[] attacks =
        [
            ($"/api/orders?cursor={cursor}", "u-1002"),
            ($"/api/products?cursor={cursor}", "u-1001"),
            ($"/api/products?cursor={shoes}", "u-1001"),
            ($"/api/products?category=tents&cursor={shoes}", "u-1001"),
            ($"/api/products/p-2/reviews?cursor={reviews}", "u-1001"),
            ("/api/orders?cursor=", "u-1001"),
            ("/api/orders?cursor=x", "u-1001"),
            ("/api/orders?cursor=!!!", "u-1001"),
            ($"/api/orders?cursor={cursor}%3D", "u-1001"),
            ($"/api/orders?cursor={cursor}A", "u-1001"),
            ($"/api/orders?cursor={cursor[..^1]}", "u-1001"),
            ("/api/orders?cursor=" + new string('A', 5000), "u-1001"),
            ("/api/orders?cursor=o-6801", "u-1001"),
        ];
        foreach (var (path, user) in attacks)
        {
            await Problem(await host.Get(path, user), 400, "invalid_cursor");
        }

        for (var i = 0; i < cursor.Length; i++)
        {
            var changed = cursor[..i] + (cursor[i] == 'A' ? 'B' : 'A') + cursor[(i + 1)..];
            await Problem(await host.Get("/api/orders?cursor=" + changed), 400, "invalid_cursor");
        }

        await Ok(await host.Get("/api/orders?limit=50&cursor=" + cursor));
        await Ok(await host.Get("/api/products?category=shoes&cursor=" + shoes));
        await Ok(await host.Get("/api/products/p-1/reviews?cursor=" + reviews));
    }

    [Fact]
    public async Task The_link_leads_to_the_next_page_whatever_the_case_of_the_parameters()
    {
        var host = Start();
        var first = await Ok(await host.Get("/api/orders?limit=2"));
        var second = await host.Get($"/api/orders?LIMIT=2&Cursor={(string)first["nextCursor"]!}");
        var link = Assert.Single(second.Headers.GetValues("Link"));

        var third = await Ok(await host.Get(new Uri(link[1..link.IndexOf('>', StringComparison.Ordinal)]).PathAndQuery));

        Assert.NotEqual((string?)(await Ok(second))["items"]![0]!["id"], (string?)third["items"]![0]!["id"]);
        Assert.Equal(2, third["items"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("/api/orders", "orders")]
    [InlineData("/api/products", "products")]
    [InlineData("/api/products/p-1/reviews", "reviews")]
    public async Task A_cursor_that_no_client_could_send_back_is_a_failure_of_the_service(string path, string service)
    {
        var cursor = new string('x', 2048);
        await using var list = await UnusableCursors.Serve(
            "nextCursor",
            () => cursor,
            new JsonObject
            {
                ["summary"] = new JsonObject { ["average"] = 0, ["count"] = 0 },
            }
        );
        var host = Start(new() { [$"Upstreams:{service}:Address"] = list.Address.ToString() });
        var next = (string)(await Ok(await host.Get(path + "?limit=1")))["nextCursor"]!;
        await Ok(await host.Get($"{path}?limit=1&cursor={next}"));

        foreach (var unusable in UnusableCursors.All)
        {
            cursor = unusable;
            await Problem(await host.Get(path + "?limit=2"), 502, "upstream_failed");
        }

        if (service == "reviews")
        {
            Assert.Null((await Ok(await host.Get("/api/products/p-1")))["reviews"]); // A failed optional part is null.
        }
    }

    [RedisFact]
    public async Task A_cursor_works_on_another_instance_and_after_a_restart()
    {
        using var redis = RedisServer.Run();
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString };
        var cursor = (string)(await Ok(await Start(settings).Get("/api/orders?limit=2")))["nextCursor"]!;
        await Ok(await Start(settings).Get("/api/orders?cursor=" + cursor));
    }
}
