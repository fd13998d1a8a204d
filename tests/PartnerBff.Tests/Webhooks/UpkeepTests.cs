using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace PartnerBff.Tests.Webhooks;

/// <summary>Losses and refusals by Redis never stop webhooks for good.</summary>
public sealed class UpkeepTests(SharedSurroundings surroundings) : WebhookTest(surroundings)
{
    private const string Watched = "bff:events:{events}:watched";

    [RedisFact]
    public async Task A_tenant_whose_name_was_lost_is_watched_again_after_a_reconnection_and_gets_what_it_missed()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        var host = StartForWebhooks(redis: redis);
        await Connected(host);
        await Create(host, receiver.Url);
        await Publish(host, "acme", number: 1);
        await Until(() => receiver.All.Count == 1);
        redis.Command("DEL", Watched); // As after a failover to a replica that did not have the key yet.
        await Publish(host, "acme", number: 2);

        redis.Stop();
        redis.Start();

        await Until(() => receiver.All.Any(r => r.Number == 2));
        await Publish(host, "acme", number: 3);
        await Until(() => receiver.All.Any(r => r.Number == 3));
        Assert.Equal([1, 2, 3], receiver.All.Select(r => r.Number).Distinct().Order()); // The answer to one may have been lost with Redis.
    }

    [RedisFact]
    public async Task A_tenant_whose_name_was_lost_unnoticed_is_watched_again_within_a_day()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = StartForWebhooks(redis: redis, services: services => services.AddSingleton<TimeProvider>(clock));
        await Connected(host);
        await Create(host, receiver.Url);
        await Publish(host, "acme", number: 1);
        await Until(() => receiver.All.Count == 1);
        redis.Command("DEL", Watched);
        await Publish(host, "acme", number: 2);

        clock.Advance(TimeSpan.FromDays(1));

        await Until(() => receiver.All.Any(r => r.Number == 2));
        Assert.Equal([1, 2], receiver.All.Select(r => r.Number).Order());
    }

    [RedisFact]
    public async Task A_refusal_by_Redis_for_one_tenant_or_endpoint_delays_no_other_and_is_logged_once()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        var host = StartForWebhooks(redis: redis);
        await Connected(host);
        var poisoned = await Create(host, receiver.Url + "/acme");
        await Create(host, receiver.Url + "/globex", GlobexKey);
        redis.Command("SET", $"bff:webhooks:{{webhooks}}:q:{poisoned["id"]}", "not a sorted set");
        redis.Command("SET", "bff:webhooks:{webhooks}:q:x", "not a sorted set");
        redis.Command("ZADD", "bff:webhooks:{webhooks}:due", "1", "x");
        await Publish(host, "acme");
        await Publish(host, "globex", number: 1);
        await Until(() => receiver.All.Any(r => r.Number == 1));
        await Publish(host, "globex", number: 2);

        await Until(() => receiver.All.Any(r => r.Number == 2));

        Assert.All(receiver.All, r => Assert.Equal("/globex", r.Path));
        Assert.Single(
            host.Log.Entries,
            e => e.Level == LogLevel.Warning && e.Message.Contains("fails for acme;", StringComparison.Ordinal)
        );
        Assert.Single(host.Log.Entries, e => e.Level == LogLevel.Warning && e.Message.Contains("fails for x;", StringComparison.Ordinal));
    }
}
