using Bff.Events;
using Bff.TestKit;

namespace Bff.Shared.Tests.Events;

[Collection(nameof(Alone))]
public sealed class IdleStreamsTests
{
    [Fact]
    public async Task A_silent_stream_sends_idle_items_at_intervals_and_its_position_advances()
    {
        var time = new ManualTimeProvider();
        await using var instance = await EventsInstance.Start(null, time);
        using var ends = new CancellationTokenSource();
        await using var items = instance
            .Users.Follow(Sample.Caller("ann"), null, TimeSpan.FromSeconds(15), ends.Token)
            .GetAsyncEnumerator(default);
        Assert.True(await items.MoveNextAsync());
        var opened = items.Current.Id;

        for (var silence = 0; silence < 3 || items.Current.Id <= opened; silence++)
        {
            Assert.True(silence < 20, "The place stays where it was.");
            var next = items.MoveNextAsync().AsTask();
            await Eventually.True(() =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return next.IsCompleted;
            });
            Assert.True(await next);
            Assert.Equal(UserEventKind.Idle, items.Current.Kind);
        }

        await ends.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await items.MoveNextAsync());
    }

    [Fact]
    public async Task All_streams_of_an_instance_share_one_timer()
    {
        var time = new ManualTimeProvider();
        await using var instance = await EventsInstance.Start(null, time);
        await using var first = await new Follower(instance.Users, Sample.Caller("ann")).Opened();
        var next = first.Next();
        var timers = time.ActiveTimers;
        await using var second = await new Follower(instance.Users, Sample.Caller("bob")).Opened();
        var other = second.Next();

        Assert.Equal((1, 1), (timers, time.ActiveTimers));
        Assert.False(next.IsCompleted || other.IsCompleted);
    }

    [Fact]
    public async Task A_thousand_idle_streams_cost_little_memory_and_no_work()
    {
        await using var instance = await EventsInstance.Start(null);
        await using var warm = await new Follower(instance.Users, Sample.Caller("warm")).Opened();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var streams = new List<Follower>();
        for (var i = 0; i < 1000; i++)
        {
            var stream = new Follower(instance.Users, Sample.Caller($"u-{i}"));
            Assert.Equal(UserEventKind.Opened, (await stream.Next()).Kind);
            streams.Add(stream);
        }

        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1000;
        Assert.True(each < 8 * 1024, $"{each} bytes for each");
        Assert.Equal(1001, instance.Users.Open);
        foreach (var stream in streams)
        {
            await stream.DisposeAsync();
        }
    }
}
