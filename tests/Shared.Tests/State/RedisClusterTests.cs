using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.State;

/// <summary>Tests the key ring, scripts and messages on a real cluster.</summary>
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

    /// <summary>Redis refuses a script whose keys are on both servers of a move (TRYAGAIN) and runs no part of it.</summary>
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
    public async Task A_command_of_several_keys_on_their_way_to_another_server_is_answered_once_they_are_there()
    {
        using var state = await RedisStateTests.Connected(cluster.Address);
        await state.Run("SET", db => db.StringSetAsync("bff:{read}:a", "1"));
        await state.Run("SET", db => db.StringSetAsync("bff:{read}:b", "2"));
        var move = new SlotMove(cluster.Nodes, "bff:{read}:a");
        var before = move.Refusals;
        move.Begin();
        move.Carry("bff:{read}:a");

        var asked = state.Run("MGET", db => db.StringGetAsync(["bff:{read}:a", "bff:{read}:b"]));
        await Eventually.True(() => move.Refusals > before + 2);
        Assert.False(asked.IsCompleted);
        move.Carry("bff:{read}:b");
        move.End();

        Assert.Equal(["1", "2"], (await asked).Select(v => (string?)v));
    }

    /// <summary>The client's map of slots is outdated (MOVED), and the slot is moving again (ASK).</summary>
    [RedisFact]
    public async Task A_slot_that_moves_on_from_where_it_had_moved_is_followed_by_scripts_and_commands()
    {
        using var state = await RedisStateTests.Connected(cluster.Address);
        using var reader = await RedisStateTests.Connected(cluster.Address);
        await state.Evaluate(Append, ["bff:{on}:a", "bff:{on}:b"], ["first"]);
        Assert.Equal(1, await reader.Run("LLEN", db => db.ListLengthAsync("bff:{on}:a")));
        var move = Carried();
        move.End();
        move = Carried();

        Assert.Equal(2, (int)await state.Evaluate(Append, ["bff:{on}:a", "bff:{on}:b"], ["second"]));
        Assert.Equal(2, await reader.Run("LLEN", db => db.ListLengthAsync("bff:{on}:a")));
        move.End();

        SlotMove Carried()
        {
            var next = new SlotMove(cluster.Nodes, "bff:{on}:a");
            next.Begin();
            next.Carry("bff:{on}:a");
            next.Carry("bff:{on}:b");
            return next;
        }
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

    /// <summary>A channel is subscribed to on one server. Every server forwards messages that are published on another.</summary>
    [RedisFact]
    public async Task Messages_are_heard_on_another_server_once_theirs_is_gone()
    {
        using var own = RedisCluster.Run(replicas: 1);
        using var sender = await RedisStateTests.Connected(own.ConnectionString);
        using var receiver = await RedisStateTests.Connected(own.ConnectionString);
        var messages = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var subscription = receiver.Subscribe("bff:test:news", messages.Enqueue);
        RedisServer? heard = null;
        await RedisStateTests.Until(() => // While a subscription moves, two servers have it.
        {
            heard = own.Nodes.Where(Hears).ToList() is [var one] ? one : null;
            return Task.FromResult(heard is not null);
        });
        var dies = heard!;
        var left = own.Nodes.Where(n => n != dies).ToList();
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Reconnected += (_, _) =>
        {
            if (left.Exists(Hears))
            {
                told.TrySetResult(); // From here on, no message is missed.
            }
        };

        dies.Stop();

        await told.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await Eventually.True(
            async () =>
            {
                try
                {
                    await sender.Publish("bff:test:news", "after");
                }
                catch (StoreUnavailableException)
                {
                    // The loss of the server is not detected yet.
                }

                return messages.Contains("after");
            },
            TimeSpan.FromMinutes(1)
        );
    }

    private static bool Hears(RedisServer node)
    {
        try
        {
            return node.Command("PUBSUB", "NUMSUB", "bff:test:news").EndsWith(":1\r\n", StringComparison.Ordinal);
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
