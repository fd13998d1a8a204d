using Bff.State;
using Microsoft.Extensions.Logging;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Tests.Webhooks;

/// <summary>The store behaves the same on both engines.</summary>
[StoreSuite(typeof(IWebhookStore))]
public sealed class WebhookStoreTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private readonly ILoggerFactory _logging = WatchedLogging.NewFactory();
    private RedisServer? _server;
    private RedisState? _state;

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Endpoints_belong_to_their_owner_alone_and_change_in_one_step(string engine)
    {
        var store = await Store(engine);
        await store.Add(Endpoint("a"), default);
        await store.Add(Endpoint("b"), default);
        await store.Add(Endpoint("c", "live:globex"), default);

        await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => store.Change("live:acme", "a", e => e with { Types = [.. e.Types, $"t{i}"] }, default))
        );

        Assert.Equal(21, (await store.Find("live:acme", "a", default))!.Types.Count);
        Assert.Equal(["a", "b"], (await store.List("live:acme", default)).Select(e => e.Id));
        Assert.Equal(["live:acme", "live:globex"], (await store.Owners(default)).Order());
        Assert.Null(await store.Find("live:globex", "a", default));
        Assert.Null(await store.Change("live:globex", "a", e => e, default));
        Assert.False(await store.Delete("live:globex", "a", default));
        Assert.True(await store.Delete("live:acme", "a", default));
        Assert.Null(await store.Find("live:acme", "a", default));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_delivery_begins_once_is_claimed_by_one_and_free_again_after_the_lease(string engine)
    {
        var store = await Store(engine, "a", "b");
        await store.Begin([Delivery("d1", "a"), Delivery("d2", "a"), Delivery("d3", "b")], Now, default);
        await store.Begin([Delivery("d1", "a") with { Type = "other" }], Now, default);

        Assert.Equal(["a", "b"], (await store.Due(Now, 10, default)).Order());
        Assert.Empty(await store.Due(Now.AddSeconds(-1), 10, default));
        var first = Assert.Single(await store.Claim("a", Now, Lease, 1, default));
        Assert.Equal("order.shipped", first.Type);
        Assert.Contains("a", await store.Due(Now, 10, default));
        var second = Assert.Single(await store.Claim("a", Now, Lease, 5, default));
        Assert.NotEqual(first.Id, second.Id);
        Assert.DoesNotContain("a", await store.Due(Now, 10, default));
        Assert.Empty(await store.Claim("a", Now, Lease, 5, default));

        Assert.Equal(2, (await store.Claim("a", Now + Lease, Lease, 5, default)).Count);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Only_unfinished_deliveries_are_due_and_each_at_its_own_time(string engine)
    {
        var store = await Store(engine, "a");
        await store.Begin([Delivery("d1", "a"), Delivery("d2", "a")], Now, default);
        var claimed = await store.Claim("a", Now, Lease, 5, default);

        Assert.Equal(Now, await store.Note(claimed[0] with { Tries = 1, NextAttemptAt = Now.AddHours(1) }, false, Now, default));
        Assert.Equal(
            Now,
            await store.Note(claimed[1] with { Tries = 1, NextAttemptAt = Now.AddHours(1) }, false, Now.AddMinutes(1), default)
        );
        Assert.Empty(await store.Due(Now.AddMinutes(59), 10, default));
        claimed = await store.Claim("a", Now.AddHours(1), Lease, 5, default);
        Assert.Equal(2, claimed.Count);
        Assert.Null(await store.Note(claimed[0] with { Status = DeliveryStatus.Delivered, NextAttemptAt = null }, true, Now, default));
        await store.Note(claimed[1] with { Status = DeliveryStatus.Failed, NextAttemptAt = null }, false, Now, default);

        Assert.Empty(await store.Due(Now.AddYears(1), 10, default));
        Assert.Equal(DeliveryStatus.Delivered, (await store.FindDelivery(claimed[0].Id, default))!.Status);
        Assert.Equal(2, (await store.Deliveries("a", 0, 10, default)).Count);
        Assert.Single(await store.Deliveries("a", 1, 10, default));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Deleting_an_endpoint_of_another_owner_leaves_its_deliveries(string engine)
    {
        var store = await Store(engine, "a");
        await store.Begin([Delivery("d1", "a"), Delivery("d2", "a")], Now, default);
        await store.Note(
            (await store.Claim("a", Now, Lease, 1, default))[0] with
            {
                NextAttemptAt = Now.AddMinutes(1),
            },
            false,
            Now,
            default
        );

        Assert.False(await store.Delete("live:globex", "a", default));
        Assert.False(await store.Delete("test:acme", "a", default));

        Assert.Equal(["a"], await store.Due(Now, 10, default));
        Assert.Equal(2, (await store.Deliveries("a", 0, 10, default)).Count);
        var left = await store.Claim("a", Now.AddMinutes(1), Lease, 5, default);
        Assert.Equal(2, left.Count);
        Assert.Equal(Now, await store.Note(left[0], null, Now.AddMinutes(1), default)); // The time of the first failure is remembered.
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Late_writes_for_a_deleted_endpoint_leave_nothing_behind(string engine)
    {
        var store = await Store(engine, "a");
        await store.Begin([Delivery("d1", "a")], Now, default);
        var claimed = Assert.Single(await store.Claim("a", Now, Lease, 1, default));
        await store.Delete("live:acme", "a", default);

        // The attempt was in flight when the endpoint was deleted.
        Assert.Null(await store.Note(claimed with { NextAttemptAt = Now.AddMinutes(1) }, false, Now, default));
        Assert.False(await store.Reopen(claimed, null, default));
        await store.Begin([Delivery("d2", "a")], Now, default); // The dispatcher had still seen the endpoint.

        Assert.Empty(await store.Due(Now.AddYears(1), 10, default));
        Assert.Empty(await store.Deliveries("a", 0, 10, default));
        if (_server is { } redis)
        {
            Assert.Equal(
                ":0\r\n",
                redis.Command(
                    "EXISTS",
                    "bff:webhooks:{webhooks}:failing",
                    "bff:webhooks:{webhooks}:due",
                    "bff:webhooks:{webhooks}:q:a",
                    "bff:webhooks:{webhooks}:l:a"
                )
            );
        }

        await store.Add(Endpoint("a"), default);
        await store.Begin([Delivery("d3", "a")], Now, default);
        Assert.Equal(
            Now.AddHours(1),
            await store.Note((await store.Claim("a", Now, Lease, 1, default))[0], false, Now.AddHours(1), default)
        );
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task An_instance_with_an_expired_claim_changes_nothing(string engine)
    {
        var store = await Store(engine, "a");
        await store.Begin([Delivery("d1", "a")], Now, default);
        var stale = Assert.Single(await store.Claim("a", Now, Lease, 1, default));
        var held = Assert.Single(await store.Claim("a", Now + Lease, Lease, 1, default));

        await store.Note(stale with { Status = DeliveryStatus.Failed, NextAttemptAt = null }, false, Now + Lease, default);
        Assert.Equal(DeliveryStatus.Pending, (await store.FindDelivery("d1", default))!.Status);
        Assert.Null(await store.Note(held with { Status = DeliveryStatus.Delivered, NextAttemptAt = null }, true, Now + Lease, default));
        await store.Note(stale with { NextAttemptAt = Now }, null, Now + Lease, default); // Handed back by a host that stops late.

        Assert.Equal(DeliveryStatus.Delivered, (await store.FindDelivery("d1", default))!.Status);
        Assert.Empty(await store.Due(Now.AddYears(1), 10, default));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_delivery_is_reopened_once_and_not_while_an_instance_sends_it(string engine)
    {
        var store = await Store(engine, "a");
        await store.Begin([Delivery("d1", "a")], Now, default);
        var claimed = Assert.Single(await store.Claim("a", Now, Lease, 1, default));
        Assert.False(await store.Reopen(claimed with { NextAttemptAt = Now }, Now, default));
        await store.Note(claimed with { Status = DeliveryStatus.Failed, NextAttemptAt = null }, false, Now, default);

        Assert.True(await store.Reopen(claimed with { NextAttemptAt = Now.AddSeconds(1) }, null, default));
        Assert.False(await store.Reopen(claimed with { NextAttemptAt = Now.AddSeconds(2) }, null, default));

        Assert.Empty(await store.Claim("a", Now, Lease, 5, default));
        Assert.Single(await store.Claim("a", Now.AddSeconds(1), Lease, 5, default));
    }

    [Theory]
    [RedisData("zadd")]
    [RedisData("zremrangebyrank")]
    [RedisData("pexpire")]
    [RedisData("set")]
    public async Task A_delivery_that_Redis_refused_in_the_middle_begins_when_it_is_begun_again(string command)
    {
        var store = await Store("redis", "a");
        _server!.Deny(command);
        await Assert.ThrowsAsync<StoreRefusedException>(() => store.Begin([Delivery("d1", "a")], Now, default));
        _server.Allow(command);
        Assert.Empty(await store.Claim("a", Now, Lease, 5, default)); // A half-written delivery is not claimed.

        await store.Begin([Delivery("d1", "a")], Now, default);
        await store.Begin([Delivery("d1", "a")], Now, default);

        Assert.Equal(["a"], await store.Due(Now, 10, default));
        Assert.Equal("d1", Assert.Single(await store.Claim("a", Now, Lease, 5, default)).Id);
        Assert.Single(await store.Deliveries("a", 0, 10, default));
    }

    [Theory]
    [RedisData("del")]
    [RedisData("zrem")]
    [RedisData("hdel")]
    public async Task An_endpoint_whose_deletion_Redis_refused_in_the_middle_is_deleted_without_a_trace_the_next_time(string command)
    {
        var store = await Store("redis", "a");
        await store.Begin([Delivery("d1", "a")], Now, default);
        await store.Note((await store.Claim("a", Now, Lease, 1, default))[0] with { NextAttemptAt = Now }, false, Now, default);

        _server!.Deny(command);
        await Assert.ThrowsAsync<StoreRefusedException>(() => store.Delete("live:acme", "a", default));
        _server.Allow(command);

        Assert.True(await store.Delete("live:acme", "a", default));
        Assert.Equal(
            ":0\r\n",
            _server.Command(
                "EXISTS",
                "bff:webhooks:{webhooks}:failing",
                "bff:webhooks:{webhooks}:due",
                "bff:webhooks:{webhooks}:q:a",
                "bff:webhooks:{webhooks}:l:a"
            )
        );
    }

    [Theory]
    [RedisData("zadd")]
    [RedisData("pexpire")]
    [RedisData("set")]
    public async Task A_delivery_whose_repetition_Redis_refused_in_the_middle_can_be_repeated(string command)
    {
        var store = await Store("redis", "a");
        await store.Begin([Delivery("d1", "a")], Now, default);
        var over = Assert.Single(await store.Claim("a", Now, Lease, 1, default)) with
        {
            Status = DeliveryStatus.Failed,
            NextAttemptAt = null,
        };
        await store.Note(over, false, Now, default);

        _server!.Deny(command);
        await Assert.ThrowsAsync<StoreRefusedException>(() =>
            store.Reopen(over with { Status = DeliveryStatus.Pending, NextAttemptAt = Now }, null, default)
        );
        _server.Allow(command);
        var current = (await store.FindDelivery("d1", default))!;
        var isReopened = await store.Reopen(
            current with
            {
                Status = DeliveryStatus.Pending,
                NextAttemptAt = Now.AddSeconds(1),
            },
            current.NextAttemptAt,
            default
        );

        Assert.Equal(command == "zadd", isReopened); // Otherwise it is queued already, and will be completed.
        Assert.Single(await store.Claim("a", Now.AddSeconds(1), Lease, 5, default));
    }

    public void Dispose()
    {
        _state?.Dispose();
        _logging.Dispose();
        _server?.Dispose();
    }

    private async Task<IWebhookStore> Store(string engine, params string[] endpoints)
    {
        IWebhookStore store = new EmbeddedWebhookStore();
        if (engine != "embedded")
        {
            _server = RedisServer.Run();
            _state = await Stores.Connect(_server, _logging);
            store = new RedisWebhookStore(_state);
        }

        foreach (var id in endpoints)
        {
            await store.Add(Endpoint(id), default);
        }

        return store;
    }

    private static WebhookEndpoint Endpoint(string id, string owner = "live:acme") =>
        new()
        {
            Id = id,
            Owner = owner,
            Url = "https://partner.example/",
            Types = ["*"],
            CreatedAt = Now,
            Secrets = [new([1, 2, 3], null)],
        };

    private static WebhookDelivery Delivery(string id, string endpoint) =>
        new()
        {
            Id = id,
            Owner = "live:acme",
            EndpointId = endpoint,
            EventId = "1-0",
            Type = "order.shipped",
            Body = [1],
            CreatedAt = Now,
            NextAttemptAt = Now,
        };
}
