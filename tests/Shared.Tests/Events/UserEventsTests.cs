using System.Text;
using Bff.Events;
using Bff.Shared.Tests.Caching;
using Bff.TestKit;

namespace Bff.Shared.Tests.Events;

public sealed class UserEventsTests(SharedRedis redis) : IClassFixture<SharedRedis>
{
    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_user_receives_only_events_for_the_user_in_order(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var (ann, bob) = (Sample.Unique("ann"), Sample.Unique("bob"));
        await using var stream = await new Follower(instance.Users, Sample.Caller(ann, "acme")).Opened();

        await instance.Publish(
            Sample.Event(bob, data: "0"),
            Sample.Event(tenant: "acme", data: "0"),
            Sample.Event(ann, "globex", data: "0"),
            Sample.Event(ann, data: "1")
        );
        await instance.Publish(Sample.Event(ann, "acme", data: "2"));

        Assert.Equal("1", Text(await stream.Next()));
        Assert.Equal("2", Text(await stream.Next()));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_reader_that_reconnects_receives_every_event_once_during_publishing(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var ann = Sample.Unique("ann");
        EventId place;
        await using (var first = new Follower(instance.Users, Sample.Caller(ann)))
        {
            place = (await first.Next()).Id;
        }

        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await instance.Publish(Sample.Event(ann, data: $"{i}"), Sample.Event());
            }
        });
        var heard = new List<string>();
        while (heard.Count < 500)
        {
            // The reader reconnects after every few events.
            await using var stream = await new Follower(instance.Users, Sample.Caller(ann), place).Opened();
            for (var i = 0; i < 60 && heard.Count < 500; i++)
            {
                var item = await stream.Next();
                heard.Add(Text(item));
                place = item.Id;
            }
        }

        await publishing;
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"), heard);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_slow_reader_receives_every_event(string engine)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var ann = Sample.Unique("ann");
        await using var stream = await new Follower(instance.Users, Sample.Caller(ann)).Opened();
        for (var i = 0; i < 300; i++)
        {
            await instance.Publish(Sample.Event(ann, data: $"{i}"));
        }

        for (var i = 0; i < 300; i++)
        {
            Assert.Equal($"{i}", Text(await stream.Next()));
        }
    }

    [Theory]
    [InlineData("embedded", 1), InlineData("embedded", 99_999_999_999_999), RedisData("redis", 1), RedisData("redis", 99_999_999_999_999)]
    public async Task An_unknown_position_gives_one_reset_and_then_new_events(string engine, long milliseconds)
    {
        await using var instance = await EventsInstance.Start(redis.AddressFor(engine));
        var ann = Sample.Unique("ann");
        await instance.Publish(Sample.Event(ann, data: "old"));
        await using var stream = await new Follower(instance.Users, Sample.Caller(ann), new EventId(milliseconds, 0)).Opened();

        var reset = await stream.Next();
        Assert.Equal(UserEventKind.Reset, reset.Kind);
        await instance.Publish(Sample.Event(ann, data: "new"));
        Assert.Equal("new", Text(await stream.Next()));

        await using var again = await new Follower(instance.Users, Sample.Caller(ann), reset.Id).Opened();
        Assert.Equal("new", Text(await again.Next()));
    }

    [RedisFact]
    public async Task Streams_on_every_instance_receive_an_event_and_survive_a_restart_of_Redis()
    {
        using var server = RedisServer.Run();
        await using var one = await EventsInstance.Start(server.ConnectionString);
        await using var two = await EventsInstance.Start(server.ConnectionString);
        await using var first = await new Follower(one.Users, Sample.Caller("ann")).Opened();
        await using var second = await new Follower(two.Users, Sample.Caller("ann")).Opened();

        await one.Publish(Sample.Event("ann", data: "1"));
        Assert.Equal("1", Text(await first.Next()));
        Assert.Equal("1", Text(await second.Next()));

        server.Stop();
        server.Start();
        var again = Sample.Event("ann", data: "2");
        await State.RedisStateTests.Until(async () =>
        {
            try
            {
                await one.Publish(again); // The publisher repeats the event until it is accepted, as a service would.
                return true;
            }
            catch (Bff.State.StoreUnavailableException)
            {
                return false;
            }
        });
        Assert.Equal("2", Text(await first.Next()));
        Assert.Equal("2", Text(await second.Next()));
    }

    [Fact]
    public async Task A_stream_counts_as_open_until_it_is_disposed()
    {
        await using var instance = await EventsInstance.Start(null);
        await using (await new Follower(instance.Users, Sample.Caller("ann")).Opened())
        {
            Assert.Equal(1, instance.Users.Open);
        }

        await State.RedisStateTests.Until(() => Task.FromResult(instance.Users.Open == 0));
    }

    private static string Text(UserEvent item)
    {
        Assert.Equal(UserEventKind.Event, item.Kind);
        return Encoding.UTF8.GetString(item.Event!.Data.Span);
    }
}
