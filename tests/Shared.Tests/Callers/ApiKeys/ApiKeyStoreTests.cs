using Bff.Callers;
using Bff.Callers.ApiKeys;
using Bff.Requests;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Callers.ApiKeys;

/// <summary>Tests the store of API keys on both engines.</summary>
[StoreSuite(typeof(IApiKeyStore))]
public sealed class ApiKeyStoreTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task Keys_are_found_by_hash_and_listed_by_tenant_newest_first(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        var (older, newer, others) = (Key("a", Now.AddMinutes(-1)), Key("b", Now), Key("c", Now, tenant: "globex"));
        foreach (var key in (ApiKeyRecord[])[older, newer, others])
        {
            await engine.Store.Add(key, default);
        }

        Assert.Equal("a", (await engine.Store.Find(older.Hash, default))!.Id);
        Assert.Equal(["orders.read"], (await engine.Store.Find(older.Hash, default))!.Scopes);
        Assert.Null(await engine.Store.Find("0000", default));
        Assert.Equal(["b", "a"], (await engine.Store.List("acme", default)).Select(k => k.Id));
        Assert.Equal(["c"], (await engine.Store.List("globex", default)).Select(k => k.Id));

        await engine.Store.Remove(older, default);
        Assert.Null(await engine.Store.Find(older.Hash, default));
        Assert.Equal(["b"], (await engine.Store.List("acme", default)).Select(k => k.Id));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_deleted_key_is_not_brought_back_by_replacing_it(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        var key = Key("a", Now);
        await engine.Store.Add(key, default);
        Assert.True(await engine.Store.Replace(key with { ExpiresAt = Now.AddHours(1) }, default));
        Assert.Equal(Now.AddHours(1), (await engine.Store.Find(key.Hash, default))!.ExpiresAt);
        await engine.Store.Remove(key, default);
        Assert.False(await engine.Store.Replace(key with { ExpiresAt = null }, default));
        Assert.Null(await engine.Store.Find(key.Hash, default));
        Assert.Empty(await engine.Store.List("acme", default));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task Lists_show_when_a_key_was_last_used_and_omit_keys_that_expired_long_ago(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        await engine.Store.Add(Key("a", Now), default);
        await engine.Store.Add(Key("old", Now.AddDays(-90)) with { ExpiresAt = Now.AddDays(-31) }, default);
        await engine.Store.Touch("acme", [new("a", Now.AddMinutes(-5))], default);
        var listed = Assert.Single(await engine.Store.List("acme", default));
        Assert.Equal(Now.AddMinutes(-5).ToUnixTimeSeconds(), listed.LastUsedAt!.Value.ToUnixTimeSeconds());
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_late_use_reports_a_deleted_key_restores_nothing_of_it_and_keeps_a_later_use(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        var (gone, kept) = (Key("a", Now), Key("b", Now));
        await engine.Store.Add(gone, default);
        await engine.Store.Add(kept, default);
        await engine.Store.Remove(gone, default);

        Assert.Equal(["a"], await engine.Store.Touch("acme", [new("a", Now), new("b", Now)], default));
        Assert.Empty(await engine.Store.Touch("acme", [new("b", Now.AddHours(-1))], default));
        Assert.False(await engine.Store.Relist(gone, default));
        Assert.False(await engine.Store.Relist(kept, default));

        var listed = Assert.Single(await engine.Store.List("acme", default));
        Assert.Equal(Now.ToUnixTimeSeconds(), listed.LastUsedAt!.Value.ToUnixTimeSeconds());
        Assert.Equal(engine.Redis is null ? null : ":1\r\n", engine.Redis?.Command("HLEN", "bff:apikeys:{acme}:used"));
    }

    [RedisFact]
    public async Task A_key_whose_list_was_lost_is_listed_again_when_it_is_used()
    {
        var clock = new ManualTimeProvider(Now);
        await using var engine = await Engine.Start(withRedis: true);
        using var logging = WatchedLogging.NewFactory();
        using var uses = new ApiKeyUses(engine.Store, clock, logging.CreateLogger<ApiKeyUses>());
        var key = Key("a", Now);
        await engine.Store.Add(key, default);
        await engine.Store.Replace(key with { ExpiresAt = Now.AddDays(1) }, default);
        engine.Redis!.Command("DEL", "bff:apikeys:{acme}"); // The list is in another slot than the key, so it can be lost alone.

        uses.Note(Remembered(key), Now);
        await uses.Flush(default);

        Assert.Equal(Now.AddDays(1), Assert.Single(await engine.Store.List("acme", default)).ExpiresAt);
    }

    [RedisTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unused_keys_are_listed_again_after_a_reconnection_and_daily(bool isReconnection)
    {
        var clock = new ManualTimeProvider(Now);
        await using var engine = await Engine.Start(withRedis: true);
        using var logging = WatchedLogging.NewFactory();
        using var uses = new ApiKeyUses(engine.Store, clock, logging.CreateLogger<ApiKeyUses>());
        var key = Key("a", Now);
        await engine.Store.Add(key, default);
        var remembered = Remembered(key);
        uses.Remembered = () => [remembered];
        engine.Redis!.Command("DEL", "bff:apikeys:{acme}");
        await uses.Flush(default);
        Assert.Empty(await engine.Store.List("acme", default));

        if (isReconnection)
        {
            uses.LookAtAll();
        }
        else
        {
            clock.Advance(TimeSpan.FromDays(1));
        }

        await uses.Flush(default);
        Assert.Equal("a", Assert.Single(await engine.Store.List("acme", default)).Id);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task Changes_are_announced(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        var added = engine.Next(IApiKeyStore.Added);
        var key = Key("a", Now);
        await engine.Store.Add(key, default);
        await added.WaitAsync(TimeSpan.FromSeconds(30));
        var removed = engine.Next("a");
        await engine.Store.Remove(key, default);
        await removed.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static RememberedKey Remembered(ApiKeyRecord key) => new("key", key, CallerResult.Refused(ProblemCodes.InvalidApiKey), 0, 0);

    private static ApiKeyRecord Key(string id, DateTimeOffset created, string tenant = "acme") =>
        new()
        {
            Id = id,
            Tenant = tenant,
            Name = "n",
            Hash = "hash-of-" + id,
            Prefix = "pk_live_ab",
            LastFour = "wxyz",
            Scopes = ["orders.read"],
            CreatedAt = created,
        };

    private sealed class Engine(ServiceProvider services, RedisServer? redis, IApiKeyStore store) : IAsyncDisposable
    {
        public IApiKeyStore Store => store;

        public RedisServer? Redis => redis;

        public static async Task<Engine> Start(bool withRedis)
        {
            var redis = withRedis ? RedisServer.Run() : null;
            var services = StateEngines.Provider(redis?.ConnectionString);
            IApiKeyStore store = redis is null
                ? new EmbeddedApiKeyStore(TimeProvider.System)
                : new RedisApiKeyStore(
                    services.GetRequiredService<RedisState>(),
                    services.GetRequiredService<Announcements>(),
                    TimeProvider.System
                );
            await StateEngines.Connect(services); // Connects the store's subscription, too.
            return new(services, redis, store);
        }

        public Task Next(string message)
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            store.Changed += what =>
            {
                if (what == message)
                {
                    seen.TrySetResult();
                }
            };
            return seen.Task;
        }

        public async ValueTask DisposeAsync()
        {
            (store as IDisposable)?.Dispose();
            await services.DisposeAsync();
            redis?.Dispose();
        }
    }
}
