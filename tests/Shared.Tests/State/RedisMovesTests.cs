using System.Globalization;
using System.Text.RegularExpressions;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.State;

/// <summary>
/// Tests that stored data is found again without a restart when it moves to another server, and that nobody waits longer than the timeout
/// when the server is slow or blocked.
/// </summary>
public sealed partial class RedisMovesTests(RedisClusterFixture cluster) : IClassFixture<RedisClusterFixture>
{
    private static readonly RedisScript Increment = new("return redis.call('INCRBY', KEYS[1], ARGV[1])");

    [RedisFact]
    public async Task A_slot_that_moves_to_another_node_is_followed()
    {
        using var state = await RedisStateTests.Connected(cluster.Address);
        const string Key = "bff:test:{moving}";
        Assert.Equal(1, (int)await state.Evaluate(Increment, [Key], [1]));
        var slot = Number().Match(cluster.Nodes[0].Command("CLUSTER", "KEYSLOT", Key)).Value;
        var from = cluster.Nodes.Single(n => n.Command("CLUSTER", "COUNTKEYSINSLOT", slot).StartsWith(":1", StringComparison.Ordinal));
        var to = cluster.Nodes.First(n => n != from);

        to.Command("CLUSTER", "SETSLOT", slot, "IMPORTING", Id(from));
        from.Command("CLUSTER", "SETSLOT", slot, "MIGRATING", Id(to));
        Assert.Equal(2, (int)await state.Evaluate(Increment, [Key], [1]));
        from.Command("MIGRATE", "127.0.0.1", to.Port.ToString(CultureInfo.InvariantCulture), Key, "0", "10000");
        await Until(async () => (int)await state.Evaluate(Increment, [Key], [0]) == 2); // The owner redirects to the target of the move.
        foreach (var node in cluster.Nodes)
        {
            node.Command("CLUSTER", "SETSLOT", slot, "NODE", Id(to));
        }

        await Until(async () => (int)await state.Evaluate(Increment, [Key], [1]) >= 3);
        Assert.True(state.IsAvailable);
    }

    [RedisFact]
    public async Task A_replica_that_becomes_the_primary_is_written_to()
    {
        using var first = RedisServer.Run();
        using var second = RedisServer.Run("--replicaof", "127.0.0.1 " + first.Port.ToString(CultureInfo.InvariantCulture));
        await RedisStateTests.Until(() =>
            Task.FromResult(second.Command("INFO", "replication").Contains("master_link_status:up", StringComparison.Ordinal))
        );
        using var state = await RedisStateTests.Connected(first.Address + "," + second.Address);
        var messages = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var subscription = state.Subscribe("bff:test:news", messages.Enqueue);
        Assert.Equal(1, (int)await state.Evaluate(Increment, ["bff:test:{a}"], [1]));
        await RedisStateTests.Until(() =>
            Task.FromResult(second.Command("GET", "bff:test:{a}").Contains("\r\n1", StringComparison.Ordinal))
        );

        second.Command("REPLICAOF", "NO", "ONE");
        first.Command("REPLICAOF", "127.0.0.1", second.Port.ToString(CultureInfo.InvariantCulture));

        await Until(async () => (int)await state.Evaluate(Increment, ["bff:test:{a}"], [1]) >= 2);
        Assert.DoesNotContain("\r\n1\r", second.Command("GET", "bff:test:{a}"), StringComparison.Ordinal);
        await Until(async () =>
        {
            await state.Publish("bff:test:news", "after");
            return messages.Contains("after");
        });

        first.Stop(); // A server that is gone for good must not block operations.
        await Until(async () => (int)await state.Evaluate(Increment, ["bff:test:{a}"], [1]) >= 3);
    }

    [RedisFact]
    public async Task A_server_that_holds_its_clients_up_is_away_and_back_with_its_messages()
    {
        using var server = RedisServer.Run();
        await using var provider = await StateEngines.Ready(server.Address, timeout: "00:00:00.200");
        var state = provider.GetRequiredService<RedisState>();
        var messages = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var subscription = state.Subscribe("bff:test:news", messages.Enqueue);

        server.Command("CLIENT", "PAUSE", "3000", "ALL");
        await RedisStateTests.Until(async () =>
        {
            await Record.ExceptionAsync(() => state.Evaluate(Increment, ["bff:test:{a}"], [1]));
            return !state.IsAvailable;
        });
        Assert.True(state.Run("GET", db => db.StringGetAsync("bff:test:{a}")).IsFaulted, "It waits.");

        await RedisStateTests.Until(() => Task.FromResult(state.IsAvailable));
        await Until(async () =>
        {
            await state.Publish("bff:test:news", "after");
            return messages.Contains("after");
        });
    }

    /// <summary>Repeats the check until it holds. Operations may fail until the change is detected.</summary>
    private static Task Until(Func<Task<bool>> isSo) =>
        RedisStateTests.Until(async () =>
        {
            try
            {
                return await isSo();
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });

    private static string Id(RedisServer node) => Name().Match(node.Command("CLUSTER", "MYID")).Value;

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex("[0-9a-f]{40}")]
    private static partial Regex Name();
}
