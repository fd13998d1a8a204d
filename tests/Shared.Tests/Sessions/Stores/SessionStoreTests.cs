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
    public async Task A_session_is_found_until_its_idle_timeout_and_then_reported_as_over(bool onRedis)
    {
        var store = await Store(onRedis);
        var key = await AddSession(store);

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
        var key = await AddSession(store, TimeSpan.FromHours(1));
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
        var key = await AddSession(store);
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
    public async Task An_expired_session_is_reported_as_over_and_a_signed_out_session_as_unknown(bool onRedis)
    {
        var store = await Store(onRedis);
        var (ranOut, signedOut) = (await AddSession(store), await AddSession(store));

        await store.End(ranOut, leaveMark: true);
        await store.End(signedOut, leaveMark: false);

        Assert.True((await Find(store, ranOut)).IsOver);
        Assert.False((await Find(store, signedOut)).IsOver);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task Sessions_are_found_by_their_index(bool onRedis)
    {
        var store = await Store(onRedis);
        var (one, two) = (await AddSession(store), await AddSession(store));

        Assert.Equal(new[] { one, two }.Order(StringComparer.Ordinal), (await store.Members("of-user:a")).Order(StringComparer.Ordinal));
        await store.Drop("of-user:a", one);
        Assert.Equal([two], await store.Members("of-user:a"));
        Assert.Empty(await store.Members("of-user:b"));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_lost_index_is_restored_with_the_sessions_current_end(bool onRedis)
    {
        var store = await Store(onRedis);
        var (one, two) = (await AddSession(store, TimeSpan.FromMinutes(20)), await AddSession(store));
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
    public async Task A_session_whose_expiry_cannot_be_set_is_not_added()
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
    public async Task A_lock_has_one_owner_and_only_the_owner_releases_it(bool onRedis)
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
    public async Task A_value_is_spent_by_exactly_one_of_several_concurrent_calls(bool onRedis)
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
        var (one, two, kept) = (await AddSession(store), await AddSession(store), await AddSession(store));
        using var listening = listener.OnEnded(key =>
        {
            if (key is not null) // Else messages may have been missed: the connection is another.
            {
                announced.Writer.TryWrite($"{key}, there: {Find(store, key).Result.Session is not null}");
            }
        });
        await Subscribed();

        await store.End(one, leaveMark: true);
        await store.End(two, leaveMark: false);

        // The receiver of the announcement no longer finds the session.
        Assert.Equal(GoneKeys(one, two), new[] { await Next(announced), await Next(announced) }.Order(StringComparer.Ordinal));
        Assert.NotNull((await Find(store, kept)).Session);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_session_that_was_ended_before_it_was_added_is_never_found(bool onRedis)
    {
        var store = await Store(onRedis);
        var key = SessionKey.Hash(SessionKey.NewCookie());

        await store.End(key, leaveMark: false); // A sign-out found the session in the index, which is written first.
        await AddSession(store, key: key);

        Assert.Equal(new SessionFound(null, IsOver: false), await Find(store, key));
    }

    [RedisFact]
    public async Task A_session_whose_end_cannot_be_announced_does_not_end()
    {
        var store = await Store(onRedis: true);
        var key = await AddSession(store);

        _redis!.Deny("publish");
        await Assert.ThrowsAnyAsync<Exception>(() => store.End(key, leaveMark: false));

        Assert.NotNull((await Find(store, key)).Session);
    }

    [RedisFact]
    public async Task A_lock_or_value_whose_call_timed_out_is_released()
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
    public async Task A_lock_whose_release_failed_is_released_later()
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
    public async Task The_store_throws_while_redis_is_down()
    {
        var store = await Store(onRedis: true);
        var key = await AddSession(store);
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

    private static IEnumerable<string> GoneKeys(params string[] keys) =>
        keys.Select(key => $"{key}, there: False").Order(StringComparer.Ordinal);

    private static Task<string> Next(Channel<string> announced) =>
        announced.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Waits until the listener is subscribed.</summary>
    private Task Subscribed() =>
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

    private async Task<string> AddSession(ISessionStore store, TimeSpan? life = null, string? key = null)
    {
        key ??= SessionKey.Hash(SessionKey.NewCookie());
        var now = _clock.GetUtcNow();
        await store.Add(key, new StoredSession([1, 2, 3], now, now + (life ?? TimeSpan.FromHours(8)), 0), Idle, ["of-user:a"]);
        return key;
    }

    private Task<SessionFound> Find(ISessionStore store, string key, bool touch = false) =>
        store.Find(key, _clock.GetUtcNow(), Idle, touch ? TimeSpan.FromSeconds(30) : null);
}
