namespace MobileBff.Tests.Sync;

public sealed class SyncTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task The_first_synchronisation_brings_everything()
    {
        var host = Start();

        var answer = await Ok(await host.Get("/sync?limit=100"));

        Assert.Equal(["orders", "unread", "next", "hasMore", "_meta"], answer.Select(m => m.Key));
        Assert.Equal(
            ["id", "status", "total", "currency", "date", "itemCount", "thumb"],
            answer["orders"]!["changed"]![0]!.AsObject().Select(m => m.Key)
        );
        Assert.NotEmpty(answer["orders"]!["deleted"]!.AsArray());
        Assert.False((bool)answer["hasMore"]!);
    }

    [Fact]
    public async Task A_token_is_opaque_and_works_only_for_its_caller()
    {
        var host = Start();
        var next = (string)(await Ok(await host.Get("/sync")))["next"]!;
        Upstream.Orders.Calls.Clear();

        await Problem(await host.Get("/sync?since=" + next, "u-1002"), 400, "invalid_cursor");
        for (var i = 0; i < next.Length; i += 3)
        {
            await Problem(await host.Get($"/sync?since={next[..i]}{(next[i] == 'A' ? 'B' : 'A')}{next[(i + 1)..]}"), 400, "invalid_cursor");
        }

        await Problem(await host.Get("/sync?since=ct-1-5"), 400, "invalid_cursor");
        await Problem(await host.Get("/sync?since="), 400, "invalid_cursor");
        Assert.Equal(0, Upstream.Orders.Calls.Count);
        await Ok(await host.Get("/sync?since=" + next));
    }

    [Fact]
    public async Task A_token_that_is_too_old_is_gone()
    {
        var host = Start();
        var next = (string)(await Ok(await host.Get("/sync")))["next"]!;
        Upstream.Orders.ExpireChangeTokens();

        await Problem(await host.Get("/sync?since=" + next), 410, "sync_token_expired");
    }

    [Fact]
    public async Task Unread_is_null_when_notifications_fail()
    {
        Upstream.Notifications.Faults.Set(FaultMode.Reset);

        var answer = await Ok(await Start().Get("/sync"));

        Assert.True(answer.ContainsKey("unread") && answer["unread"] is null);
        Assert.Equal("""{"notifications":"failed"}""", answer["_meta"]!["degraded"]!.ToJsonString());
    }

    [RedisFact]
    public async Task An_app_ends_up_in_sync_despite_lost_answers_repeats_restarts_and_two_instances()
    {
        const int Changes = 1000;
        using var redis = RedisServer.Run();
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString };
        MobileHost[] hosts = [Start(settings), Start(settings)];
        var random = new Random(20260101);
        var (app, since) = (new Dictionary<string, string>(), (string?)null);
        var truth = new Dictionary<string, string>();
        foreach (var order in (await Ok(await hosts[0].Get("/orders?limit=100")))["items"]!.AsArray())
        {
            truth[(string)order!["id"]!] = (string)order["status"]!;
        }

        string[] statuses = ["pending", "paid", "shipped", "delivered", "cancelled"];
        for (var change = 0; change < Changes; change++)
        {
            var id = truth.Keys.ElementAt(random.Next(truth.Count));
            if (truth.Count > 3 && random.Next(100) == 0)
            {
                Assert.True(Upstream.Orders.Delete(id));
                truth.Remove(id);
            }
            else
            {
                truth[id] = statuses[random.Next(statuses.Length)];
                Assert.True(Upstream.Orders.SetStatus(id, truth[id]));
            }

            if (change == Changes / 2)
            {
                await hosts[0].DisposeAsync();
                hosts[0] = Start(settings);
            }

            switch (random.Next(8))
            {
                case 0: // The answer is lost on its way, so the app knows nothing of it.
                    (await hosts[random.Next(2)].Get(Path(since))).Dispose();
                    break;
                case 1: // The answer arrives twice.
                    var first = await Ok(await hosts[0].Get(Path(since)));
                    var second = await Ok(await hosts[1].Get(Path(since)));
                    Assert.Equal((string?)first["next"], (string?)second["next"]);
                    Apply(app, first);
                    since = Apply(app, second);
                    break;
                case 2:
                    since = Apply(app, await Ok(await hosts[random.Next(2)].Get(Path(since))));
                    break;
                default:
                    break;
            }
        }

        JsonObject answer;
        do
        {
            answer = await Ok(await hosts[random.Next(2)].Get(Path(since)));
            since = Apply(app, answer);
        } while ((bool)answer["hasMore"]!);

        Assert.Equal(truth.OrderBy(o => o.Key), app.OrderBy(o => o.Key));
    }

    private static string Path(string? since) => "/sync?limit=3" + (since is null ? "" : "&since=" + since);

    private static string Apply(Dictionary<string, string> app, JsonObject answer)
    {
        foreach (var order in answer["orders"]!["changed"]!.AsArray())
        {
            app[(string)order!["id"]!] = (string)order["status"]!;
        }

        foreach (var id in answer["orders"]!["deleted"]!.AsArray())
        {
            app.Remove((string)id!);
        }

        return (string)answer["next"]!;
    }
}
