using System.Collections.Concurrent;
using Bff.Callers.Revoked;
using Bff.Shared.Tests.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers.Revoked;

/// <summary>Tests the revocation store on both engines.</summary>
[StoreSuite(typeof(IRevocationStore))]
public sealed class RevocationStoreTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Active_revocations_are_listed_once_with_their_latest_end_and_every_addition_is_announced(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        var time = new ManualTimeProvider(Now);
        await using var services = StateEngines.Provider(redis?.ConnectionString, time);
        var store = Store(services, redis is not null, time);
        var announced = new ConcurrentQueue<Revocation>();
        using var subscription = store.Subscribe(added =>
        {
            if (added is not null)
            {
                announced.Enqueue(added);
            }
        });
        await StateEngines.Connect(services);

        await store.Add(Revocation.OfToken("a", Now.AddMinutes(10)), default);
        await store.Add(Revocation.OfToken("a", Now.AddMinutes(5)), default);
        await store.Add(Revocation.OfSubject("u-1", Now, Now.AddMinutes(1)), default);

        Assert.Equal(
            Now.AddMinutes(10),
            (await store.All(default)).Single(r => r.ToMember() == Revocation.OfToken("a", Now).ToMember()).Until
        );
        Assert.Equal(2, (await store.All(default)).Count);
        await Eventually.True(() => Task.FromResult(announced.Count == 3));
        Assert.Equal(2, announced.Count(r => r.TokenId == "a")); // Announcements may arrive in any order.
        Assert.Equal((Now, Now.AddMinutes(1)), announced.Where(r => r.Subject == "u-1").Select(r => (r.IssuedBefore, r.Until)).Single());

        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(Now.AddMinutes(10), Assert.Single(await store.All(default)).Until);
        subscription.Dispose();
        await store.Add(Revocation.OfToken("b", Now.AddMinutes(10)), default);
        Assert.Equal(2, (await store.All(default)).Count);
        Assert.Equal(3, announced.Count);
    }

    private static IRevocationStore Store(IServiceProvider services, bool isRedis, TimeProvider time) =>
        isRedis ? ActivatorUtilities.CreateInstance<RedisRevocationStore>(services, time) : new EmbeddedRevocationStore(time);
}
