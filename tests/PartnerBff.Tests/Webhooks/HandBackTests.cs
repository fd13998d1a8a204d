using Bff.Events;
using Microsoft.Extensions.DependencyInjection;
using PartnerBff.Webhooks.Delivery;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Tests.Webhooks;

/// <summary>
/// An instance that stops gracefully hands its deliveries back. A claim lasts two minutes here, longer than any test waits.
/// </summary>
public sealed class HandBackTests(SharedSurroundings surroundings) : WebhookTest(surroundings)
{
    private static readonly Dictionary<string, string?> LongClaims = new() { ["Webhooks:Timeout"] = "00:01:00" };

    [RedisFact]
    public async Task Another_instance_immediately_repeats_the_attempts_that_a_stopping_one_interrupted()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        receiver.Answer = Receiver.Hang;
        var stopping = StartForWebhooks(LongClaims, redis);
        await Connected(stopping);
        JsonObject[] endpoints =
        [
            await Create(stopping, receiver.Url + "/a"),
            await Create(stopping, receiver.Url + "/b"),
            await Create(stopping, receiver.Url + "/c"),
        ];
        await Publish(stopping, "acme", "order.shipped", Enumerable.Range(0, 10));
        await Until(() => receiver.All.Count == 6); // Two to each, because it is not known yet whether they answer.
        var brokenOff = receiver.All.Select(r => r.Id).ToHashSet();
        receiver.Answer = Receiver.Accept;
        var other = StartForWebhooks(LongClaims, redis);
        await Until(() => receiver.All.Count == 30);

        await stopping.DisposeAsync();

        await Until(() => receiver.All.Count == 36);
        Assert.Equal(brokenOff.Order(), receiver.All.Skip(30).Select(r => r.Id).Order());
        foreach (var endpoint in endpoints)
        {
            await Until(async () => (await Deliveries(other, endpoint)).All(d => (string)d["status"]! == "delivered"));
            // The interrupted attempt is not counted against the endpoint.
            Assert.All(await Deliveries(other, endpoint), d => Assert.Single(d["attempts"]!.AsArray()));
        }
    }

    [RedisFact]
    public async Task An_endpoint_that_exceeds_an_instances_capacity_stays_due_for_the_others()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        receiver.Answer = Receiver.Hang;
        PausedStore store = null!;
        var full = StartForWebhooks(
            LongClaims,
            redis,
            services => services.Decorate<IWebhookStore>(inner => store = new PausedStore(inner))
        );
        await Connected(full);
        var endpoint = await Create(full, receiver.Url);
        await Publish(full, "acme", "order.shipped", Enumerable.Range(0, 10));
        await Until(() => receiver.All.Count == 2);
        var (now, looks) = (DateTimeOffset.UtcNow, store.Looks);

        await Until(() => store.Looks > looks + 1); // The instance has looked once more, from beginning to end.

        Assert.Equal([(string)endpoint["id"]!], await store.Due(now, 10, default));
    }

    [RedisFact]
    public async Task Deliveries_that_are_claimed_while_stopping_are_sent_or_handed_back()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        var claim = new PausePoint();
        var stopping = StartForWebhooks(
            LongClaims,
            redis,
            services => services.Decorate<IWebhookStore>(store => new PausedStore(store) { Claimed = claim })
        );
        await Connected(stopping);
        await Create(stopping, receiver.Url);
        await Publish(stopping, "acme");
        await claim.Reached;

        var stopped = stopping.Services.GetRequiredService<WebhookWorker>().StopAsync(default);
        claim.Continue();
        await stopped;

        StartForWebhooks(LongClaims, redis);
        await Until(() => !receiver.All.IsEmpty);
        Assert.Single(receiver.All);
    }

    [RedisFact]
    public async Task Events_that_a_stopping_instance_holds_are_returned()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        var begin = new PausePoint();
        RecordedQueue queue = null!;
        var stopping = StartForWebhooks(
            LongClaims,
            redis,
            services =>
                services
                    .Decorate<IWebhookStore>(store => new PausedStore(store) { Beginning = begin })
                    .Decorate<IEventQueue>(inner => queue = new RecordedQueue(inner))
        );
        await Connected(stopping);
        await Create(stopping, receiver.Url);
        await Publish(stopping, "acme", "order.shipped", Enumerable.Range(0, 20));
        await begin.Reached;

        await stopping.Services.GetRequiredService<WebhookDispatcher>().StopAsync(default);

        Assert.NotEmpty(queue.Taken);
        Assert.Equal(queue.Taken, queue.Returned);
        Assert.Empty(queue.Finished);
        StartForWebhooks(LongClaims, redis);
        await Until(() => receiver.All.Count == 20);
        Assert.Equal(Enumerable.Range(0, 20), receiver.All.Select(r => r.Number).Order());
    }

    [RedisFact]
    public async Task Events_that_are_taken_while_stopping_are_begun_or_returned()
    {
        var redis = StartRedis();
        await using var receiver = await Receiver.Start();
        var take = new PausePoint();
        RecordedQueue queue = null!;
        var stopping = StartForWebhooks(
            LongClaims,
            redis,
            services => services.Decorate<IEventQueue>(inner => queue = new RecordedQueue(inner) { AfterTake = take })
        );
        await Connected(stopping);
        await Create(stopping, receiver.Url);
        await Publish(stopping, "acme", "order.shipped", Enumerable.Range(0, 20));
        await take.Reached;

        var stopped = stopping.Services.GetRequiredService<WebhookDispatcher>().StopAsync(default);
        take.Continue();
        await stopped;

        Assert.NotEmpty(queue.Taken);
        Assert.Equal(queue.Taken, [.. queue.Returned, .. queue.Finished]);
    }
}
