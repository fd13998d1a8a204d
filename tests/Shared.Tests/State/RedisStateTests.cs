using System.Diagnostics;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Bff.Shared.Tests.State;

public sealed class RedisStateTests
{
    private static readonly RedisScript Increment = new("return redis.call('INCRBY', KEYS[1], ARGV[1])");

    private static readonly RedisScript Demoted = new("return redis.error_reply('READONLY as a replica')");

    [RedisFact]
    public async Task Operations_and_scripts_run_also_after_the_script_cache_was_emptied()
    {
        using var server = RedisServer.Run();
        using var state = await Connected(server.Address);

        Assert.Equal(2, (int)await state.Evaluate(Increment, ["bff:test:{a}"], [2]));
        server.Command("SCRIPT", "FLUSH");
        Assert.Equal(4, (int)await state.Evaluate(Increment, ["bff:test:{a}"], [2]));
        Assert.Equal("4", (string?)await state.Run("GET", db => db.StringGetAsync("bff:test:{a}")));
        Assert.True(state.IsAvailable);
    }

    [RedisFact]
    public async Task A_frozen_server_costs_the_first_operations_the_timeout_and_the_others_nothing_until_it_is_back()
    {
        using var server = RedisServer.Run();
        using var state = await Connected(server.Address);
        await state.Evaluate(Increment, ["bff:test:{a}"], [1]);

        server.Freeze();
        await Until(async () =>
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => state.Evaluate(Increment, ["bff:test:{a}"], [1]));
            return !state.IsAvailable;
        });

        for (var i = 0; i < 1000; i++)
        {
            var refused = state.Run("GET", db => db.StringGetAsync("bff:test:{a}"));
            Assert.True(refused.IsFaulted, "It waits.");
            await Assert.ThrowsAsync<StoreUnavailableException>(() => refused);
        }

        server.Continue();
        await Until(() => Task.FromResult(state.IsAvailable));
        await state.Run("GET", db => db.StringGetAsync("bff:test:{a}"));
    }

    [RedisFact]
    public async Task A_stopped_server_is_refused_at_once_and_found_again_by_itself_with_its_messages()
    {
        using var server = RedisServer.Run();
        using var state = await Connected(server.Address);
        var reconnected = 0;
        state.Reconnected += (_, _) => Interlocked.Increment(ref reconnected);
        var messages = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var subscription = state.Subscribe("bff:test:news", messages.Enqueue);
        await state.Run("SET", db => db.StringSetAsync("bff:test:k", "v"));
        await Until(() => Task.FromResult(Volatile.Read(ref reconnected) > 0));
        await state.Publish("bff:test:news", "before");
        await Until(() => Task.FromResult(messages.Contains("before")));

        server.Stop();
        await Until(() => Task.FromResult(!state.IsAvailable));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => state.Run("GET", db => db.StringGetAsync("bff:test:k")));
        var before = Volatile.Read(ref reconnected);
        server.Start();

        await Until(() => Task.FromResult(state.IsAvailable && Volatile.Read(ref reconnected) > before));
        Assert.Equal("v", (string?)await state.Run("GET", db => db.StringGetAsync("bff:test:k")));
        await state.Publish("bff:test:news", "after");
        await Until(() => Task.FromResult(messages.Contains("after")));
        Assert.Single(messages, "after");
    }

    [RedisFact]
    public async Task A_connection_that_is_lost_is_said_so_though_the_client_library_has_it_back_at_once()
    {
        using var server = RedisServer.Run();
        var lost = new TaskCompletionSource<RedisConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var connection = await RedisConnection.Open(
            AccessTo(server.Address),
            TimeSpan.FromSeconds(10),
            TimeSpan.FromSeconds(1),
            replicas: 0,
            c => lost.TrySetResult(c),
            () => { }
        );
        Assert.True(connection.IsConnected);

        server.Command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");

        Assert.Same(connection, await lost.Task.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [RedisFact]
    public async Task A_host_starts_with_Redis_away_and_uses_it_once_it_comes()
    {
        using var server = RedisServer.Run();
        server.Stop();
        using var state = StateEngines.Provider(server.Address).GetRequiredService<RedisState>();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => state.Run("GET", db => db.StringGetAsync("bff:test:k")));
        Assert.False(state.IsAvailable);

        server.Start();
        await Until(() => Task.FromResult(state.IsAvailable));
        Assert.True(await state.Run("SET", db => db.StringSetAsync("bff:test:k", "v")));
    }

    [RedisFact]
    public async Task Who_waits_for_an_answer_while_the_connection_is_replaced_gets_it()
    {
        using var server = RedisServer.Run();
        using var state = (await StateEngines.Ready(server.Address, timeout: "00:00:10")).GetRequiredService<RedisState>();
        var reconnected = 0;
        state.Reconnected += (_, _) => Interlocked.Increment(ref reconnected);

        // The error of a primary that has become a replica. The next probe replaces the connection while an operation waits on it.
        await Assert.ThrowsAsync<StoreUnavailableException>(() => state.Evaluate(Demoted, ["bff:test:{a}"], []));
        var waiting = state.Run("BLPOP", db => db.ExecuteAsync("BLPOP", "bff:test:{a}", "0"));
        var before = Volatile.Read(ref reconnected);
        await Until(() => Task.FromResult(Volatile.Read(ref reconnected) > before));
        server.Command("RPUSH", "bff:test:{a}", "answer");

        Assert.Equal(["bff:test:{a}", "answer"], ((string[]?)await waiting)!);
    }

    [Fact]
    public async Task A_production_host_refuses_to_start_with_embedded_stores_unless_told_so()
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => Start("Production", []));
        Assert.Contains("ConnectionStrings:redis", refused.Message, StringComparison.Ordinal);
        Assert.Contains("State:AllowEmbedded=true", refused.Message, StringComparison.Ordinal);
        await Start("Production", new() { ["State:AllowEmbedded"] = "true" });
        await Start("Development", []);
    }

    private static async Task Start(string environment, Dictionary<string, string?> settings)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Logging.Watch();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Configuration["urls"] = "http://127.0.0.1:0";
        builder.AddState();
        await using var app = builder.Build();
        await app.StartAsync();
        Assert.False(app.Services.GetRequiredService<RedisState>().IsConfigured);
        await app.StopAsync();
    }

    private static RedisAccess AccessTo(string address) =>
        RedisAccess.Of(new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:redis", address)]).Build(), new())!;

    internal static async Task<RedisState> Connected(string connectionString) =>
        (await StateEngines.Ready(connectionString)).GetRequiredService<RedisState>();

    internal static async Task Until(Func<Task<bool>> isSo)
    {
        var waited = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "it did not become so within 30 s");
            await Task.Delay(10); // Another process gives no signal when its state changes.
        }
    }
}
