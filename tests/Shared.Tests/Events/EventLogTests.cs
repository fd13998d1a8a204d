using System.Globalization;
using System.Text;
using Bff.Events;
using Bff.Shared.Tests.Caching;
using Bff.State;
using Bff.TestKit;

namespace Bff.Shared.Tests.Events;

/// <summary>Tests the event log and the event queue on both engines.</summary>
[StoreSuite(typeof(IEventLog))]
[StoreSuite(typeof(IEventQueue))]
public sealed class EventLogTests(SharedRedis redis) : IClassFixture<SharedRedis>
{
    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Events_are_read_by_user_and_tenant_in_the_order_in_which_they_were_published(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var (ann, acme) = (Sample.Unique("ann"), Sample.Unique("acme"));
        var start = (await instance.Log.End(default)).Id;

        await instance.Publish(Sample.Event(ann, acme, data: "1"), Sample.Event(tenant: acme, data: "2"));
        await instance.Publish(Sample.Event(ann, data: "3"), Sample.Event(data: "4"));

        var user = await instance.Log.ReadUser(ann, start, 10, default);
        var tenant = await instance.Log.ReadTenant(acme, start, 10, default);
        Assert.True(user.IsComplete && tenant.IsComplete);
        Assert.Equal(["1", "3"], user.Events.Select(e => Encoding.UTF8.GetString(e.Data.Span)));
        Assert.Equal(["1", "2"], tenant.Events.Select(e => Encoding.UTF8.GetString(e.Data.Span)));
        Assert.Equal(user.Events[0].Id, tenant.Events[0].Id);
        Assert.Equal(ann, user.Events[0].Head.User);
        Assert.Equal(
            ["3"],
            (await instance.Log.ReadUser(ann, user.Events[0].Id, 10, default)).Events.Select(e => Encoding.UTF8.GetString(e.Data.Span))
        );
        Assert.Single((await instance.Log.ReadUser(ann, start, 1, default)).Events);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task The_whole_log_is_numbered_without_gaps_and_returns_the_position_that_was_read(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var end = await instance.Log.End(default);

        await instance.Publish(Sample.Event(), Sample.Event(), Sample.Event());
        var first = await instance.Log.ReadAll(end.Id, 2, default);
        var rest = await instance.Log.ReadAll(first.ReadUpTo, 2, default);
        var nothing = await instance.Log.ReadAll(rest.ReadUpTo, 2, default);

        Assert.Equal((2, end.Number + 1), (first.Events.Count, first.FirstNumber));
        Assert.Equal((1, end.Number + 3), (rest.Events.Count, rest.FirstNumber));
        Assert.Empty(nothing.Events);
        Assert.True(nothing.ReadUpTo >= rest.ReadUpTo);
        Assert.Equal(end.Number + 3, (await instance.Log.End(default)).Number);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task An_event_with_the_same_source_and_id_is_stored_once_within_and_across_batches(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var (ann, id) = (Sample.Unique("ann"), Sample.Unique("e"));
        var start = (await instance.Log.End(default)).Id;

        await instance.Publish(Sample.Event(ann, id: id), Sample.Event(ann, id: id));
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => instance.Publish(Sample.Event(ann, id: id), Sample.Event(ann))));

        Assert.Equal(11, (await instance.Log.ReadUser(ann, start, 100, default)).Events.Count);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_reader_can_miss_ten_thousand_events_without_loss_and_more_is_reported_as_incomplete(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var (ann, bob) = (Sample.Unique("ann"), Sample.Unique("bob"));
        var start = (await instance.Log.End(default)).Id;
        await instance.Publish(Sample.Event(bob));
        for (var i = 0; i < 100; i++)
        {
            await instance.Publish([.. Enumerable.Range(0, 100).Select(_ => Sample.Event(ann))]);
        }

        var all = await instance.Log.ReadUser(ann, start, 20_000, default);
        Assert.True(all.IsComplete);
        Assert.Equal(10_000, all.Events.Count);

        await instance.Publish(Sample.Event(ann), Sample.Event(ann));
        Assert.False((await instance.Log.ReadUser(ann, start, 1, default)).IsComplete);
        var last = await instance.Log.ReadUser(ann, all.Events[^1].Id, 10, default);
        Assert.True(last.IsComplete);
        Assert.Equal(2, last.Events.Count);
        var others = await instance.Log.ReadUser(bob, start, 10, default); // One user's events do not push out another user's events.
        Assert.True(others.IsComplete);
        Assert.Single(others.Events);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_position_of_another_log_or_beyond_the_retention_is_reported_as_incomplete(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var ann = Sample.Unique("ann");
        await instance.Publish(Sample.Event(ann));

        Assert.False((await instance.Log.ReadUser(ann, default, 1, default)).IsComplete);
        Assert.False(
            (await instance.Log.ReadUser(ann, EventId.JustBefore(DateTimeOffset.UtcNow - TimeSpan.FromHours(1.01)), 1, default)).IsComplete
        );
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Events_after_the_clock_went_back_get_ids_after_every_id_that_was_issued(string engine)
    {
        using var server = engine == "redis" ? RedisServer.Run() : null;
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var instance = await EventsInstance.Start(server?.ConnectionString, engine == "embedded" ? clock : null);
        var ann = Sample.Unique("ann");
        await instance.Publish(Sample.Event(ann, data: "before"));
        clock.Advance(TimeSpan.FromMinutes(1));
        var ahead = (await instance.Log.End(default)).Id;
        if (server is null)
        {
            clock.Advance(TimeSpan.FromMinutes(-5));
        }
        else
        {
            // To the log, a server whose clock went back looks as if it had issued ids in the future.
            ahead = ahead with
            {
                Milliseconds = ahead.Milliseconds + 300_000,
            };
            server.Command("SET", "bff:events:{events}:mark", ahead.ToString());
        }

        var idle = await instance.Log.ReadAll(ahead, 10, default);
        Assert.Equal(ahead, idle.ReadUpTo);
        await instance.Publish(Sample.Event(ann, data: "1"), Sample.Event(ann, data: "2"));

        var page = await instance.Log.ReadUser(ann, ahead, 10, default);
        Assert.True(page.IsComplete);
        Assert.Equal(["1", "2"], page.Events.Select(e => Encoding.UTF8.GetString(e.Data.Span)));
        Assert.Equal(2, (await instance.Log.ReadAll(ahead, 10, default)).Events.Count);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_position_beyond_the_end_of_the_log_is_reported_as_incomplete(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var ann = Sample.Unique("ann");
        await instance.Publish(Sample.Event(ann));
        var end = (await instance.Log.End(default)).Id;

        // After a failover to a server without the last writes, readers are beyond the end, so the next events may come before their
        // position.
        var lost = new EventId(end.Milliseconds + 300_000, 0);
        Assert.False((await instance.Log.ReadUser(ann, lost, 10, default)).IsComplete);
        var all = await instance.Log.ReadAll(lost, 10, default);
        Assert.True(all.ReadUpTo < lost && !all.IsComplete);
        // A position made from a time is not an issued id.
        Assert.True((await instance.Log.ReadUser(ann, EventId.JustBefore(end.At + TimeSpan.FromMinutes(5)), 10, default)).IsComplete);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_position_lost_in_a_failover_stays_incomplete_after_the_log_has_passed_it(string engine)
    {
        using var primary = engine == "redis" ? RedisServer.RunAlone() : null;
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var before = await EventsInstance.Start(primary?.ConnectionString, primary is null ? clock : null);
        var ann = Sample.Unique("ann");
        await before.Publish(Sample.Event(ann, data: "1"));
        using var replica = primary is null ? null : await CopyOf(primary);

        // The former primary's clock was ahead, and the events that it accepted then are lost.
        MoveAhead(primary, clock, minutes: 5, (await before.Log.End(default)).Id);
        await before.Publish(Sample.Event(ann, data: "lost"));
        var all = await before.Log.ReadAll(
            (await before.Log.ReadUser(ann, EventId.JustBefore(DateTimeOffset.UnixEpoch), 1, default)).Events[0].Id,
            10,
            default
        );
        var lost = all.Events[^1].Id;
        MoveAhead(primary, clock, minutes: 10, lost);
        var idle = (await before.Log.End(default)).Id;

        clock.Advance(TimeSpan.FromMinutes(-15));
        await using var after = await EventsInstance.Start(replica?.ConnectionString, primary is null ? clock : null);
        clock.Advance(TimeSpan.FromMinutes(1));
        await after.Publish(Sample.Event(ann, data: "hidden"));
        MoveAhead(replica, clock, minutes: 20, (await after.Log.End(default)).Id);
        await after.Publish(Sample.Event(ann, data: "after"));

        foreach (var place in (EventId[])[lost, idle])
        {
            var page = await after.Log.ReadUser(ann, place, 10, default);
            Assert.Equal(["after"], page.Events.Select(e => Encoding.UTF8.GetString(e.Data.Span)));
            Assert.False(page.IsComplete);
            Assert.False((await after.Log.ReadAll(place, 10, default)).IsComplete);
            await using var stream = await new Follower(after.Users, Sample.Caller(ann), place).Opened();
            Assert.Equal(UserEventKind.Reset, (await stream.Next()).Kind);
        }

        var end = await after.Log.End(default);
        await after.Publish(Sample.Event(ann, data: "later"));
        Assert.True((await after.Log.ReadUser(ann, end.Id, 10, default)).IsComplete);
        Assert.True((await after.Log.ReadAll(end.Id, 10, default)).IsComplete);
    }

    [Theory]
    [RedisData("xadd")]
    [RedisData("set")]
    [RedisData("xtrim")]
    [RedisData("pexpire")]
    [RedisData("publish")]
    public async Task A_batch_that_Redis_refused_half_way_is_stored_once_when_it_is_published_again(string command)
    {
        using var server = RedisServer.Run();
        await using var instance = await EventsInstance.Start(server.ConnectionString);
        var (ann, acme) = (Sample.Unique("ann"), Sample.Unique("acme"));
        await instance.Queue.Watch(acme, default);
        await instance.Publish(Sample.Event(ann, acme, id: "0"));
        await instance.Queue.Done([.. (await instance.Queue.Take(10, default)).Select(e => e.Id)], default);
        MoveAhead(server, null, minutes: 5, (await instance.Log.End(default)).Id); // Ids are consecutive, whatever the clock says.
        var end = await instance.Log.End(default);
        NewEvent[] events = [Sample.Event(ann, acme, id: "1"), Sample.Event(ann, acme, id: "2"), Sample.Event(ann, acme, id: "1")];

        server.Deny(command);
        await Assert.ThrowsAsync<StoreRefusedException>(() => instance.Publish(events));
        Assert.Empty((await instance.Log.ReadAll(end.Id, 10, default)).Events);
        server.Allow(command);
        await instance.Publish(events);
        await instance.Publish(events);

        var all = await instance.Log.ReadAll(end.Id, 10, default);
        var user = await instance.Log.ReadUser(ann, end.Id, 10, default);
        var tenant = await instance.Log.ReadTenant(acme, end.Id, 10, default);
        Assert.True(all.IsComplete && user.IsComplete && tenant.IsComplete);
        Assert.Equal(end.Number + 1, all.FirstNumber);
        foreach (var page in (IReadOnlyList<LoggedEvent>[])[all.Events, user.Events, tenant.Events, await instance.Queue.Take(10, default)])
        {
            Assert.Equal(["1", "2"], page.Select(e => e.Head.SourceId));
        }
    }

    [RedisFact]
    public async Task A_batch_that_one_stream_refuses_is_in_no_stream_until_it_is_published_again()
    {
        using var server = RedisServer.Run();
        await using var instance = await EventsInstance.Start(server.ConnectionString);
        var (ann, acme) = (Sample.Unique("ann"), Sample.Unique("acme"));
        var end = await instance.Log.End(default);
        server.Command("SET", RedisEventKeys.User(ann)!, "no stream");

        await Assert.ThrowsAsync<StoreRefusedException>(() =>
            instance.Publish(Sample.Event(tenant: acme, id: "1"), Sample.Event(ann, acme, id: "2"))
        );
        Assert.Empty((await instance.Log.ReadTenant(acme, end.Id, 10, default)).Events);
        server.Command("DEL", RedisEventKeys.User(ann)!);
        await instance.Publish(Sample.Event(tenant: acme, id: "1"), Sample.Event(ann, acme, id: "2"));

        Assert.Equal(["1", "2"], (await instance.Log.ReadTenant(acme, end.Id, 10, default)).Events.Select(e => e.Head.SourceId));
        Assert.Single((await instance.Log.ReadUser(ann, end.Id, 10, default)).Events);
    }

    [RedisFact]
    public async Task An_event_whose_completion_failed_half_way_leaves_the_queue_when_it_is_completed_again()
    {
        using var server = RedisServer.Run();
        await using var instance = await EventsInstance.Start(server.ConnectionString);
        var acme = Sample.Unique("acme");
        await instance.Queue.Watch(acme, default);
        await instance.Publish(Sample.Event(tenant: acme));
        var taken = await instance.Queue.Take(10, default);

        server.Deny("xdel");
        await Assert.ThrowsAsync<StoreRefusedException>(() => instance.Queue.Done([taken[0].Id], default));
        server.Allow("xdel");
        await instance.Queue.Return([taken[0].Id], default);
        // The next worker finishes the event again.
        await instance.Queue.Done([.. (await instance.Queue.Take(10, default)).Select(e => e.Id)], default);

        Assert.Equal(":0\r\n", server.Command("XLEN", RedisEventKeys.Queue!));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_listener_is_notified_of_appended_events(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listening = instance.Log.OnAppended(() => heard.TrySetResult());
        await Until(async () =>
        {
            await instance.Publish(Sample.Event());
            return heard.Task.IsCompleted;
        });
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Events_of_watched_tenants_stay_in_the_queue_until_they_are_completed(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var acme = Sample.Unique("acme");
        await instance.Publish(Sample.Event(tenant: acme, data: "0"));
        await instance.Queue.Watch(acme, default);
        await instance.Publish(
            Sample.Event(tenant: acme, data: "1"),
            Sample.Event(tenant: acme, data: "2"),
            Sample.Event(tenant: Sample.Unique("globex"))
        );

        var first = await instance.Queue.Take(1, default);
        var second = await instance.Queue.Take(10, default);
        Assert.Equal("1", Encoding.UTF8.GetString(Assert.Single(first).Data.Span));
        Assert.Equal("2", Encoding.UTF8.GetString(Assert.Single(second).Data.Span));
        Assert.Empty(await instance.Queue.Take(10, default));

        await instance.Queue.Return([second[0].Id], default);
        Assert.Equal(second[0].Id, Assert.Single(await instance.Queue.Take(10, default)).Id);

        await instance.Queue.Done([first[0].Id, second[0].Id], default);
        await instance.Queue.Return([first[0].Id, second[0].Id], default);
        Assert.Empty(await instance.Queue.Take(10, default));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task An_event_that_a_worker_never_completed_is_handed_out_again_after_its_timeout(string engine)
    {
        var time = new ManualTimeProvider();
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine), engine == "embedded" ? time : null);
        IEventQueue queue =
            engine == "embedded"
                ? new EmbeddedEventQueue(instance.Log, time) { ClaimTimeout = TimeSpan.FromMilliseconds(100) }
                : new RedisEventQueue(instance.Redis) { ClaimTimeout = TimeSpan.FromMilliseconds(100) };
        var acme = Sample.Unique("acme");
        await queue.Watch(acme, default);
        await instance.Publish(Sample.Event(tenant: acme));
        var taken = Assert.Single(await queue.Take(10, default));

        await Until(async () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(20));
            return (await queue.Take(10, default)).SingleOrDefault()?.Id == taken.Id;
        });
        await queue.Done([taken.Id], default);
    }

    [RedisFact]
    public async Task A_stopped_Redis_refuses_events_and_loses_none_that_it_accepted()
    {
        using var server = RedisServer.Run();
        await using var instance = await EventsInstance.Start(server.ConnectionString);
        var (ann, acme) = (Sample.Unique("ann"), Sample.Unique("acme"));
        await instance.Queue.Watch(acme, default);
        var start = (await instance.Log.End(default)).Id;
        var accepted = new List<string>();
        var refused = 0;

        async Task Publish(string id)
        {
            try
            {
                await instance.Publish(Sample.Event(ann, acme, id: id));
                accepted.Add(id);
            }
            catch (StoreUnavailableException)
            {
                refused++;
            }
        }

        for (var i = 0; i < 20; i++)
        {
            await Publish($"before-{i}");
        }

        server.Stop();
        await Publish("away-1");
        await Publish("away-2");
        server.Start();
        await Until(() => Task.FromResult(instance.Redis.IsAvailable));
        await Publish("away-1");
        await Publish("after");

        var kept = (await instance.Log.ReadUser(ann, start, 100, default)).Events.Select(e => e.Head.SourceId).ToList();
        Assert.Equal(2, refused);
        Assert.Equal(accepted.Order(), kept.Order());
        Assert.Equal(accepted.Order(), (await instance.Queue.Take(100, default)).Select(e => e.Head.SourceId).Order());
    }

    /// <summary>Returns a replica that takes over. It receives nothing that its primary accepts afterwards.</summary>
    private static async Task<RedisServer> CopyOf(RedisServer primary)
    {
        var copy = RedisServer.Run("--replicaof", "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture));
        await Eventually.True(() => copy.Command("GET", RedisEventKeys.Number!) == "$1\r\n1\r\n");
        copy.Command("REPLICAOF", "NO", "ONE");
        return copy;
    }

    /// <summary>Moves the log's clock ahead. On Redis it stores an id in the future, which has the same effect.</summary>
    private static void MoveAhead(RedisServer? server, ManualTimeProvider? clock, int minutes, EventId place)
    {
        clock?.Advance(TimeSpan.FromMinutes(minutes));
        server?.Command(
            "SET",
            RedisEventKeys.Mark!,
            (place with { Milliseconds = DateTimeOffset.UtcNow.AddMinutes(minutes).ToUnixTimeMilliseconds() }).ToString()
        );
    }

    private static Task Until(Func<Task<bool>> isSo) => State.RedisStateTests.Until(isSo);
}
