using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.State;

/// <summary>The key ring's suite, scripts and messages on a real cluster.</summary>
public sealed class RedisClusterTests(RedisClusterFixture cluster) : KeyRingBehaviour, IClassFixture<RedisClusterFixture>
{
    private static readonly RedisScript Append = new("redis.call('RPUSH', KEYS[1], ARGV[1]) return redis.call('RPUSH', KEYS[2], ARGV[1])");

    private protected override async Task<IKeyRing> Ring() =>
        (await StateEngines.Ready(cluster.ConnectionString, Clock)).GetRequiredService<IKeyRing>();

    [RedisFact]
    public Task A_purpose_keeps_its_key_and_purposes_differ() => A_purpose_keeps_its_key_and_purposes_differ_();

    [RedisFact]
    public Task An_older_key_verifies_for_two_periods_more() => An_older_key_verifies_for_two_periods_more_();

    [RedisFact]
    public Task Callers_at_the_same_time_get_the_same_key() => Callers_at_the_same_time_get_the_same_key_();

    [RedisFact]
    public async Task Scripts_run_on_whichever_node_owns_their_hash_tag()
    {
        using var state = await RedisStateTests.Connected(cluster.Address);
        for (var tag = 0; tag < 50; tag++)
        {
            Assert.Equal(1, (int)await state.Evaluate(Append, [$"bff:test:{{{tag}}}:a", $"bff:test:{{{tag}}}:b"], ["x"]));
        }
    }

    /// <summary>Redis refuses a script with keys on both sides of a move (TRYAGAIN) and does nothing of it.</summary>
    [RedisFact]
    public async Task A_script_whose_slot_is_on_its_way_to_another_server_runs_once_it_is_there()
    {
        using var state = await RedisStateTests.Connected(cluster.Address);
        await state.Evaluate(Append, ["bff:{moving}:a", "bff:{moving}:b"], ["first"]);
        var move = new SlotMove(cluster.Nodes, "bff:{moving}:a");
        move.Begin();
        move.Carry("bff:{moving}:a");

        var asked = state.Evaluate(Append, ["bff:{moving}:a", "bff:{moving}:b"], ["second"]);
        var forMany = state.EvaluateForMany(Append, ["bff:{moving}:a", "bff:{moving}:b"], ["third"], state.Now);
        await Eventually.True(() => move.Refusals > 2);
        Assert.False(asked.IsCompleted || forMany.IsCompleted);
        move.Carry("bff:{moving}:b");
        move.End();

        Assert.Equal([2, 3], ((int[])[(int)await asked, (int)await forMany]).Order());
        Assert.Equal(4, (int)await state.Evaluate(Append, ["bff:{moving}:a", "bff:{moving}:b"], ["fourth"]));
    }

    [RedisFact]
    public async Task Messages_reach_subscribers_on_other_connections()
    {
        using var sender = await RedisStateTests.Connected(cluster.Address);
        using var receiver = await RedisStateTests.Connected(cluster.Address);
        var messages = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var subscription = receiver.Subscribe("bff:test:news", messages.Enqueue);
        await RedisStateTests.Until(async () =>
        {
            await sender.Publish("bff:test:news", "hello");
            return messages.Contains("hello");
        });
    }
}
