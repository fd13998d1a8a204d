namespace MobileBff.Tests.Orders;

public sealed class OrderListTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task Pages_follow_each_other_to_the_end()
    {
        var host = Start();
        var all = (await Ok(await host.Get("/orders?limit=100")))["items"]!.AsArray().Select(o => (string)o!["id"]!).ToList();

        var seen = new List<string>();
        string? next = null;
        do
        {
            var page = await Ok(await host.Get("/orders?limit=2" + (next is null ? "" : "&cursor=" + next)));
            Assert.DoesNotContain("_meta", page.Select(m => m.Key));
            seen.AddRange(page["items"]!.AsArray().Select(o => (string)o!["id"]!));
            next = (string?)page["next"];
            Assert.Equal(next is not null, page.ContainsKey("next"));
        } while (next is not null);

        Assert.True(all.Count > 2);
        Assert.Equal(all, seen);
    }

    [Theory]
    [InlineData("/orders", "nextCursor")]
    [InlineData("/sync", "nextToken")]
    public async Task A_cursor_that_no_client_could_send_back_is_a_failure_of_the_service(string path, string member)
    {
        string? cursor = new('x', 2048);
        await using var list = await UnusableCursors.Serve(
            member,
            () => cursor,
            new JsonObject { ["deleted"] = new JsonArray(), ["hasMore"] = false }
        );
        var host = Start(new() { ["Upstreams:orders:Address"] = list.Address.ToString() });
        var next = (string)(await Ok(await host.Get(path)))["next"]!;
        await Ok(await host.Get($"{path}?{(path == "/sync" ? "since" : "cursor")}={next}"));

        foreach (var unusable in UnusableCursors.All)
        {
            cursor = unusable;
            await Problem(await host.Get(path), 502, "upstream_failed");
        }

        cursor = ""; // An empty cursor ends a list of orders, but changes never end.
        await (path == "/sync" ? Problem(await host.Get(path), 502, "upstream_failed") : Ok(await host.Get(path)));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("many")]
    [InlineData("1.5")]
    public async Task An_invalid_limit_is_refused(string limit)
    {
        var problem = await Problem(await Start().Get("/orders?limit=" + limit), 400, "validation_failed");

        Assert.NotNull(problem["errors"]!["limit"]);
        Assert.Equal(0, Upstream.Orders.Calls.Count);
    }

    [Fact]
    public async Task A_larger_limit_is_taken_as_a_hundred()
    {
        await Ok(await Start().Get("/orders?limit=99999999999999999999"));

        Assert.Contains("limit=100", Upstream.Orders.Calls.All[0].Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cursor_works_only_for_its_caller()
    {
        var host = Start();
        var next = (string)(await Ok(await host.Get("/orders?limit=1")))["next"]!;
        Upstream.Orders.Calls.Clear();

        await Problem(await host.Get("/orders?limit=1&cursor=" + next, "u-1002"), 400, "invalid_cursor");
        await Problem(await host.Get("/orders?limit=1&cursor=" + next[..^1] + (next[^1] == 'A' ? 'B' : 'A')), 400, "invalid_cursor");
        await Problem(await host.Get("/orders?limit=1&cursor=x"), 400, "invalid_cursor");

        Assert.Equal(0, Upstream.Orders.Calls.Count);
    }
}
