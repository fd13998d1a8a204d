using System.Text;
using Bff.Events;
using Microsoft.Extensions.DependencyInjection;

namespace PartnerBff.Tests.Events;

public sealed class EventTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    private static NewEvent Event(string id, string type, string tenant = "acme") =>
        new(
            new EventHead
            {
                Source = "/orders",
                SourceId = id,
                Type = type,
                Subject = "o-" + id,
                Tenant = tenant,
            },
            Encoding.UTF8.GetBytes($$"""{"n":{{id}}}""")
        );

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task The_tenants_events_are_replayed_in_pages_from_anywhere(bool withRedis)
    {
        var host = Start(redis: withRedis ? StartRedis() : null);
        var log = host.Services.GetRequiredService<IEventLog>();
        while (true)
        {
            try
            {
                await log.Append(
                    [
                        Event("1", "order.placed"),
                        Event("2", "order.shipped"),
                        Event("3", "stock.changed"),
                        Event("4", "order.placed", "globex"),
                        Event("5", "order.shipped"),
                    ],
                    default
                );
                break;
            }
            catch (Bff.State.StoreUnavailableException)
            {
                await Task.Delay(20); // The host is not connected yet.
            }
        }

        var first = await Json(await Get(host, "/v1/events?limit=2", AcmeKey));
        Assert.Equal([1, 2], Numbers(first));
        Assert.Equal(("order.placed", "o-1"), ((string)first["data"]![0]!["type"]!, (string)first["data"]![0]!["subject"]!));
        var second = await Json(await Get(host, "/v1/events?limit=2&cursor=" + first["next_cursor"], AcmeKey));
        Assert.Equal([3, 5], Numbers(second));
        Assert.False((bool)second["has_more"]!);
        Assert.Equal([2, 3, 5], Numbers(await Json(await Get(host, "/v1/events?since=" + first["data"]![0]!["id"], AcmeKey))));
        Assert.Equal([1, 2, 5], Numbers(await Json(await Get(host, "/v1/events?type=order.*", AcmeKey))));
        Assert.Equal([2, 5], Numbers(await Json(await Get(host, "/v1/events?type=order.shipped", AcmeKey))));
        Assert.Empty(Numbers(await Json(await Get(host, "/v1/events?since=2999-01-01T00:00:00Z", AcmeKey))));
        Assert.Equal([4], Numbers(await Json(await Get(host, "/v1/events", GlobexKey))));
        Assert.Empty(Numbers(await Json(await Get(host, "/v1/events?since=2999-01-01T00:00:00.123456789Z", AcmeKey))));
        foreach (var since in (string[])["long ago", "1/2/2026", "12:30"])
        {
            await Problem(await Get(host, "/v1/events?since=" + since, AcmeKey), 400, "validation_failed");
        }
    }

    /// <summary>The event log and webhooks use the same filters.</summary>
    [Theory]
    [InlineData("*", true)]
    [InlineData("order.*", true)]
    [InlineData("order.shipped", true)]
    [InlineData("a_b-c.1", true)]
    [InlineData("", false)]
    [InlineData("or*der", false)]
    [InlineData("*.shipped", false)]
    [InlineData(".*", false)]
    [InlineData("order.", false)]
    [InlineData(".order", false)]
    [InlineData("order..*", false)]
    [InlineData("order shipped", false)]
    [InlineData("<order>", false)]
    public async Task A_filter_is_a_name_a_prefix_or_a_star(string type, bool isFilter)
    {
        var host = Start();
        var listed = await Get(host, "/v1/events?type=" + Uri.EscapeDataString(type), AcmeKey);
        var subscribed = await Send(
            host,
            HttpMethod.Post,
            "/v1/webhook-endpoints",
            AcmeKey,
            new JsonObject { ["url"] = "https://example.com/", ["types"] = new JsonArray(type) }
        );
        if (isFilter)
        {
            await Json(listed);
            await Json(subscribed, 201);
            return;
        }

        Assert.Equal(["type"], (await Problem(listed, 400, "validation_failed"))["errors"]!.AsObject().Select(e => e.Key));
        Assert.Equal(["types"], (await Problem(subscribed, 400, "validation_failed"))["errors"]!.AsObject().Select(e => e.Key));
    }

    [Theory, InlineData(50, 200), InlineData(51, 400)]
    public async Task The_number_of_filters_is_limited(int count, int status) =>
        Assert.Equal(
            status,
            (int)
                (
                    await Get(Start(), "/v1/events?type=" + string.Join(',', Enumerable.Range(0, count).Select(i => "t" + i)), AcmeKey)
                ).StatusCode
        );

    private static IEnumerable<int> Numbers(JsonObject page) => page["data"]!.AsArray().Select(e => (int)e!["data"]!["n"]!);
}
