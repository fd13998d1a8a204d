using System.Threading.Channels;
using Bff.Sessions;
using Bff.Sessions.Stores;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Sessions.Stores;

/// <summary>Tests the session store on both engines.</summary>
[StoreSuite(typeof(ISessionStore))]
public sealed class SessionStoreTests : IDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);
    private readonly ManualTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private RedisServer? _redis;
    private ServiceProvider? _services;

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_session_is_found_until_it_is_idle_and_then_it_is_over(bool onRedis)
    {
        var store = await Store(onRedis);
        var key = await Added(store);

        Assert.Equal([1, 2, 3], (await Find(store, key)).Session!.Box);
        _clock.Advance(TimeSpan.FromMinutes(29));
        Assert.NotNull((await Find(store, key, touch: true)).Session);
        _clock.Advance(TimeSpan.FromMinutes(29));
        Assert.NotNull((await Find(store, key)).Session);
        _clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(new SessionFound(null, IsOver: true), await Find(store, key, touch: true));
        Assert.Equal(new SessionFound(null, IsOver: false), await Find(store, "nobody"));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_session_never_outlives_its_absolute_end(bool onRedis)
    {
        var store = await Store(onRedis);
        var key = await Added(store, TimeSpan.FromHours(1));
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(TimeSpan.FromMinutes(19));
            Assert.NotNull((await Find(store, key, touch: true)).Session);
        }

        _clock.Advance(TimeSpan.FromMinutes(4));
        Assert.True((await Find(store, key, touch: true)).IsOver);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_record_is_replaced_once_per_version_and_never_after_the_end(bool onRedis)
    {
        var store = await Store(onRedis);
        var key = await Added(store);
        var ends = _clock.GetUtcNow() + TimeSpan.FromHours(2);

        Assert.True(await store.Replace(key, [9], ends, 0));
        Assert.False(await store.Replace(key, [8], ends, 0));
        var found = (await Find(store, key)).Session!;
        Assert.Equal([9], found.Box);
        Assert.Equal(1, found.Version);
        Assert.Equal(ends.ToUnixTimeMilliseconds(), found.EndsAt.ToUnixTimeMilliseconds());
        await store.End(key, leaveMark: false);
        Assert.False(await store.Replace(key, [7], ends, 1));
        Assert.Null((await Find(store, key)).Session);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_session_that_ended_is_remembered_when_it_ran_out_and_forgotten_when_it_was_signed_out(bool onRedis)
    {
        var store = await Store(onRedis);
        var (ranOut, signedOut) = (await Added(store), await Added(store));

        await store.End(ranOut, leaveMark: true);
        await store.End(signedOut, leaveMark: false);

        Assert.True((await Find(store, ranOut)).IsOver);
        Assert.False((await Find(store, signedOut)).IsOver);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task Sessions_are_found_by_what_they_were_added_under(bool onRedis)
    {
        var store = await Store(onRedis);
        var (one, two) = (await Added(store), await Added(store));

        Assert.Equal(new[] { one, two }.Order(StringComparer.Ordinal), (await store.Members("of-user:a")).Order(StringComparer.Ordinal));
        await store.Drop("of-user:a", one);
        Assert.Equal([two], await store.Members("of-user:a"));
        Assert.Empty(await store.Members("of-user:b"));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task An_index_that_was_lost_is_put_back_with_the_end_that_the_session_has_now(bool onRedis)
    {
        var store = await Store(onRedis);
        var (one, two) = (await Added(store, TimeSpan.FromMinutes(20)), await Added(store));
        _redis?.Command("DEL", "bff:sessions:of-user:a");
        var ends = _clock.GetUtcNow() + TimeSpan.FromDays(3);
        await store.Replace(one, [9], ends, 0);

        await store.Index(one, ends, ["of-user:a"]);
        await store.Index(two, _clock.GetUtcNow() + TimeSpan.FromHours(8), ["of-user:a"]);

        Assert.Equal(new[] { one, two }.Order(StringComparer.Ordinal), (await store.Members("of-user:a")).Order(StringComparer.Ordinal));
        _clock.Advance(TimeSpan.FromMinutes(25));
        Assert.Contains(one, await store.Members("of-user:a"));
        if (_redis is not null)
        {
            var life = int.Parse(
                _redis.Command("TTL", "bff:sessions:of-user:a")[1..].TrimEnd(),
                System.Globalization.CultureInfo.InvariantCulture
            );
            // The index lives a day longer than the newest session, in whatever order they were added.
            Assert.InRange(TimeSpan.FromSeconds(life), TimeSpan.FromDays(3.9), TimeSpan.FromDays(4));
        }
    }

    [RedisFact]
    public async Task A_session_without_its_lifetime_does_not_begin()
    {
        var store = await Store(onRedis: true);
        var key = SessionKey.Hash(SessionKey.NewCookie());
        _redis!.Deny("pexpire");
        var now = _clock.GetUtcNow();
        var refused = await Record.ExceptionAsync(() => store.Add(key, new StoredSession([1], now, now.AddHours(8), 0), Idle, []));
        _redis.Allow("pexpire");

        Assert.IsType<StoreRefusedException>(refused);
        Assert.Equal(new SessionFound(null, IsOver: false), (await Find(store, key)) with { IsOver = false });
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_lock_has_one_owner_who_alone_releases_it(bool onRedis)
    {
        var store = await Store(onRedis);

        Assert.True(await store.TryLock("k", "me", TimeSpan.FromMinutes(1)));
        Assert.False(await store.TryLock("k", "you", TimeSpan.FromMinutes(1)));
        await store.Unlock("k", "you");
        Assert.False(await store.TryLock("k", "you", TimeSpan.FromMinutes(1)));
        await store.Unlock("k", "me");
        Assert.True(await store.TryLock("k", "you", TimeSpan.FromMinutes(1)));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task What_is_spent_is_spent_for_everybody_who_races(bool onRedis)
    {
        var store = await Store(onRedis);

        Assert.False(await store.IsSpent("state"));
        var spent = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => store.Spend("state", TimeSpan.FromMinutes(1))));

        Assert.Single(spent, won => won);
        Assert.True(await store.IsSpent("state"));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task An_end_is_announced_with_its_session(bool onRedis)
    {
        var store = await Store(onRedis);
        var listener = onRedis ? ActivatorUtilities.CreateInstance<RedisSessionStore>(_services!) : store;
        var announced = Channel.CreateUnbounded<string>();
        var (one, two, kept) = (await Added(store), await Added(store), await Added(store));
        using var listening = listener.OnEnded(key =>
            announced.Writer.TryWrite($"{key}, there: {key is not null && Find(store, key).Result.Session is not null}")
        );
        await Heard();

        await store.End(one, leaveMark: true);
        await store.End(two, leaveMark: false);

        // The receiver of the announcement no longer finds the session.
        Assert.Equal(Gone(one, two), new[] { await Next(announced), await Next(announced) }.Order(StringComparer.Ordinal));
        Assert.NotNull((await Find(store, kept)).Session);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task What_was_ended_before_it_was_added_never_begins(bool onRedis)
    {
        var store = await Store(onRedis);
        var key = SessionKey.Hash(SessionKey.NewCookie());

        await store.End(key, leaveMark: false); // A sign-out found the session in the index, which is written first.
        await Added(store, key: key);

        Assert.Equal(new SessionFound(null, IsOver: false), await Find(store, key));
    }

    [RedisFact]
    public async Task An_end_that_cannot_be_announced_does_not_happen()
    {
        var store = await Store(onRedis: true);
        var key = await Added(store);

        _redis!.Deny("publish");
        await Assert.ThrowsAnyAsync<Exception>(() => store.End(key, leaveMark: false));

        Assert.NotNull((await Find(store, key)).Session);
    }

    [RedisFact]
    public async Task What_was_taken_without_an_answer_is_given_back()
    {
        var store = await Store(onRedis: true, timeout: "00:00:00.100");
        var life = TimeSpan.FromHours(1);

        _redis!.Freeze();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.TryLock("k", "late", life));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Spend("state", life));
        _redis.Continue();

        await RedisStateTests.Until(() => Free(() => store.TryLock("k", "next", life)));
        await RedisStateTests.Until(() => Free(() => store.Spend("state", life)));
    }

    [RedisFact]
    public async Task A_lock_that_cannot_be_given_back_now_is_given_back_later()
    {
        var store = await Store(onRedis: true, timeout: "00:00:00.100");
        var life = TimeSpan.FromHours(1);
        await RedisStateTests.Until(() => Free(() => store.TryLock("k", "me", life)));

        _redis!.Freeze();
        await store.Unlock("k", "me");
        _redis.Continue();

        await RedisStateTests.Until(() => Free(() => store.TryLock("k", "next", life)));
    }

    [RedisFact]
    public async Task Without_redis_the_store_says_so()
    {
        var store = await Store(onRedis: true);
        var key = await Added(store);
        _redis!.Stop();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Find(store, key));
    }

    public void Dispose()
    {
        _services?.Dispose();
        _redis?.Dispose();
    }

    private static async Task<bool> Free(Func<Task<bool>> take)
    {
        try
        {
            return await take();
        }
        catch (StoreUnavailableException)
        {
            return false; // Redis is not available yet.
        }
    }

    private static IEnumerable<string> Gone(params string[] keys) =>
        keys.Select(key => $"{key}, there: False").Order(StringComparer.Ordinal);

    private static Task<string> Next(Channel<string> announced) =>
        announced.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Waits until the listener is subscribed.</summary>
    private Task Heard() =>
        _redis is null
            ? Task.CompletedTask
            : RedisStateTests.Until(() =>
                Task.FromResult(_redis.Command("PUBSUB", "NUMSUB", "bff:sessions:ended").Contains(":1\r\n", StringComparison.Ordinal))
            );

    private async Task<ISessionStore> Store(bool onRedis, string timeout = Generous.StateTimeout)
    {
        _redis = onRedis ? RedisServer.Run() : null;
        _services = await StateEngines.Ready(_redis?.ConnectionString, _clock, timeout);
        return onRedis ? ActivatorUtilities.CreateInstance<RedisSessionStore>(_services) : new EmbeddedSessionStore(_clock);
    }

    private async Task<string> Added(ISessionStore store, TimeSpan? life = null, string? key = null)
    {
        key ??= SessionKey.Hash(SessionKey.NewCookie());
        var now = _clock.GetUtcNow();
        await store.Add(key, new StoredSession([1, 2, 3], now, now + (life ?? TimeSpan.FromHours(8)), 0), Idle, ["of-user:a"]);
        return key;
    }

    private Task<SessionFound> Find(ISessionStore store, string key, bool touch = false) =>
        store.Find(key, _clock.GetUtcNow(), Idle, touch ? TimeSpan.FromSeconds(30) : null);
}
