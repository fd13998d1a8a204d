using System.Collections.Concurrent;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.State;

/// <summary>Tests that every instance learns of a change, even if the message about it is lost.</summary>
[Trait("Suite", "Store")]
public sealed class AnnouncementsTests
{
    private const string Missed = "(missed)";

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task What_is_published_is_heard_and_not_told_again_by_what_is_read(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var here = await Instance.Start(redis?.ConnectionString);
        await using var there = redis is null ? null : await Instance.Start(redis.ConnectionString);
        var other = there ?? here;
        await other.Read();

        await here.Feed.Publish(await here.Feed.Note("one two"));
        await Eventually.True(() => other.Heard.Contains("one two"));
        await other.Read();
        await other.Read();

        Assert.Single(other.Heard, "one two");
    }

    [RedisFact]
    public async Task What_is_noted_is_told_by_two_readings_because_the_change_may_come_after_the_first()
    {
        using var redis = RedisServer.Run();
        await using var here = await Instance.Start(redis.ConnectionString);
        await using var there = await Instance.Start(redis.ConnectionString);
        await there.Read();
        await there.Read();
        there.Heard.Clear();

        await here.Feed.Note("one");
        await there.Read();
        await here.Feed.Note("two");
        await there.Read();
        await there.Read();
        await there.Read();

        Assert.Equal(["one", "one", "two", "two"], there.Heard);
    }

    [RedisFact]
    public async Task A_lost_message_is_read_and_nothing_else_is_taken_for_missed()
    {
        using var redis = RedisServer.RunAlone();
        using var route = new RedisRoute(redis);
        await using var here = await Instance.Start(redis.ConnectionString);
        await using var there = await Instance.Start(route.Address);
        await there.Read();
        there.Heard.Clear();
        route.LoseMessages();

        await here.Feed.Publish(await here.Feed.Note("one"));
        await Eventually.True(() => route.Lost > 0);
        await there.Read();

        Assert.Equal(["one"], there.Heard);
    }

    [RedisFact]
    public async Task A_note_of_the_same_number_in_a_store_that_lost_the_other_is_not_taken_for_it()
    {
        using var redis = RedisServer.Run();
        await using var here = await Instance.Start(redis.ConnectionString);
        await here.Read();
        await here.Feed.Note("one");
        await here.Feed.Note("two");
        await here.Read();
        await here.Read();
        here.Heard.Clear();

        // The notes are deleted without any sign on the connection, and as many other notes take their place.
        redis.Command("DEL", "bff:{announced}:tests");
        await here.Feed.Note("three");
        await here.Feed.Note("four");
        await here.Read();

        Assert.Contains(Missed, here.Heard);
    }

    [RedisFact]
    public async Task A_replica_that_takes_over_without_the_latest_writes_lets_nothing_be_missed()
    {
        using var primary = RedisServer.RunAlone();
        using var replica = RedisServer.Run(
            "--replicaof",
            "127.0.0.1",
            primary.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)
        );
        using var route = new RedisRoute(primary);
        await using var here = await Instance.Start(route.Address);
        await here.Feed.Note("one");
        await Eventually.True(() => replica.Command("EXISTS", "bff:{announced}:tests") == ":1\r\n");
        replica.Command("REPLICAOF", "NO", "ONE"); // It stops replicating and later becomes the primary.
        await here.Feed.Note("two");
        await here.Read();
        await here.Read();
        here.Heard.Clear();
        await using var there = await Instance.Start(replica.ConnectionString);
        await there.Feed.Note("three");

        route.LeadTo(replica);
        await Eventually.True(() => here.Heard.Contains(Missed)); // The instance has reconnected and reads everything again.
        here.Heard.Clear();
        await Eventually.True(here.TryRead);
        await here.Read();

        Assert.True(here.Heard.Contains("three") || here.Heard.Contains(Missed));
    }

    [RedisFact]
    public async Task An_instance_that_is_further_behind_than_notes_are_kept_reads_everything()
    {
        using var redis = RedisServer.Run();
        await using var here = await Instance.Start(redis.ConnectionString);
        await here.Read();
        await here.Feed.Note("first");
        await here.Read();
        await here.Read();
        here.Heard.Clear();

        for (var i = 0; i < 15; i++)
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => here.Feed.Note("more")));
        }

        await here.Read();

        Assert.Equal([Missed], here.Heard);
        Assert.InRange(
            int.Parse(redis.Command("XLEN", "bff:{announced}:tests")[1..].TrimEnd(), System.Globalization.CultureInfo.InvariantCulture),
            1000,
            1200
        );
        Assert.StartsWith(":8", redis.Command("TTL", "bff:{announced}:tests"), StringComparison.Ordinal); // One day.
    }

    [RedisFact]
    public async Task After_a_reconnection_everything_is_read_again()
    {
        using var redis = RedisServer.Run();
        await using var here = await Instance.Start(redis.ConnectionString);
        await here.Read();
        await here.Read();
        here.Heard.Clear();

        redis.Command("CLIENT", "KILL", "TYPE", "pubsub");

        await Eventually.True(() => here.Heard.Contains(Missed));
    }

    private sealed class Instance(ServiceProvider services) : IAsyncDisposable
    {
        public AnnouncementFeed Feed { get; } = services.GetRequiredService<Announcements>().Feed("tests", "bff:tests");

        public ConcurrentQueue<string> Heard { get; } = new();

        public static async Task<Instance> Start(string? redis)
        {
            var instance = new Instance(StateEngines.Provider(redis));
            instance.Feed.Listen(what => instance.Heard.Enqueue(what ?? Missed));
            await instance.Connect();
            return instance;
        }

        public Task Read() =>
            services.GetRequiredService<RedisState>().IsConfigured
                ? services.GetRequiredService<Announcements>().Read(default)
                : Task.CompletedTask;

        public async Task<bool> TryRead()
        {
            try
            {
                await Read();
                return true;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        }

        public ValueTask DisposeAsync() => services.DisposeAsync();

        private Task Connect() => StateEngines.Connect(services);
    }
}
