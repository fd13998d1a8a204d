using Bff.Idempotency;
using Bff.Shared.Tests.Models;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Bff.Shared.Tests.Idempotency;

/// <summary>Tests the idempotency store on both engines.</summary>
[StoreSuite(typeof(IIdempotencyStore))]
public sealed class IdempotencyStoreTests
{
    private static readonly StoredAnswer Answer = new(201, [new("Content-Type", "application/json")], [1, 2, 0, 255]);

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_key_is_claimed_once_and_answered_for_every_repeat(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        var store = engine.Store();
        var claims = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => store.Claim("k", "f", "owner" + i, 0, default).AsTask()));
        var winner = "owner" + Array.FindIndex(claims, c => c.Outcome == ClaimOutcome.Taken);
        Assert.Single(claims, c => c.Outcome == ClaimOutcome.Taken);
        Assert.Equal(49, claims.Count(c => c.Outcome == ClaimOutcome.InFlight));

        Assert.Null(await store.Complete("k", "f", winner, Answer, default));
        var repeat = await store.Claim("k", "f", "later", 0, default);
        Assert.Equal(ClaimOutcome.Answered, repeat.Outcome);
        Assert.Equal((Answer.Status, Convert.ToHexString(Answer.Body)), (repeat.Answer!.Status, Convert.ToHexString(repeat.Answer.Body)));
        Assert.Equal(Answer.Headers, repeat.Answer.Headers);
        Assert.Equal(ClaimOutcome.Mismatch, (await store.Claim("k", "other", "later", 0, default)).Outcome);
        Assert.Equal(ClaimOutcome.Taken, (await store.Claim("another key", "f", "later", 0, default)).Outcome);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_released_key_is_free_unless_the_service_may_have_seen_the_request(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        var store = engine.Store();
        await store.Claim("k", "f", "a", 0, default);
        await store.Release("k", "a", keepFingerprint: false, default);
        Assert.Equal(ClaimOutcome.Taken, (await store.Claim("k", "another request", "b", 0, default)).Outcome);
        await store.Release("k", "b", keepFingerprint: true, default);
        Assert.Equal(ClaimOutcome.Mismatch, (await store.Claim("k", "f", "c", 0, default)).Outcome);
        Assert.Equal(ClaimOutcome.Taken, (await store.Claim("k", "another request", "c", 0, default)).Outcome);
        await store.Release("k", "c", keepFingerprint: false, default); // The key stays bound to the earlier attempt's request.
        Assert.Equal(ClaimOutcome.Mismatch, (await store.Claim("k", "f", "d", 0, default)).Outcome);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task An_owner_that_died_blocks_the_key_until_its_lease_expires(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis, lease: TimeSpan.FromSeconds(5));
        var store = engine.Store();
        await store.Claim("k", "f", "dead", 0, default);
        Assert.Equal(ClaimOutcome.InFlight, (await store.Claim("k", "f", "next", 0, default)).Outcome);
        await engine.Pass(TimeSpan.FromSeconds(5.1));
        Assert.Equal(ClaimOutcome.Taken, (await store.Claim("k", "f", "next", 0, default)).Outcome);
        Assert.False(await store.Renew("k", "dead", default));
        Assert.True(await store.Renew("k", "next", default));
        Assert.Null(await store.Complete("k", "f", "next", Answer, default));
        var late = await store.Complete("k", "f", "dead", Answer with { Status = 200 }, default);
        Assert.Equal(201, late!.Status); // The slow owner gets the stored answer, which stands.
        await store.Release("k", "dead", keepFingerprint: false, default);
        Assert.Equal(ClaimOutcome.Answered, (await store.Claim("k", "f", "x", 0, default)).Outcome);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_new_owner_of_a_request_owns_its_parts_at_once_and_a_former_owner_gets_none_back(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        var store = engine.Store();
        var first = (await store.Claim("whole", "f", "dead", 0, default)).FencingToken;
        await store.Claim("part", "p", "dead", first, default);
        Assert.Equal(ClaimOutcome.InFlight, (await store.Claim("part", "p", "same token", first, default)).Outcome);
        await store.Release("whole", "dead", keepFingerprint: true, default);

        var second = (await store.Claim("whole", "f", "next", 0, default)).FencingToken;
        Assert.Equal(ClaimOutcome.Taken, (await store.Claim("part", "p", "next", second, default)).Outcome);
        // The former owner was only slow.
        Assert.Equal(ClaimOutcome.InFlight, (await store.Claim("part", "p", "dead", first, default)).Outcome);
        Assert.Equal(ClaimOutcome.InFlight, (await store.Claim("part", "p", "not a part", 0, default)).Outcome);
        Assert.False(await store.Renew("part", "dead", default));
        await store.Release("part", "next", keepFingerprint: false, default);
        // The first owner's request may have reached the service, so the key stays bound to its fingerprint.
        Assert.Equal(ClaimOutcome.Mismatch, (await store.Claim("part", "another", "later", second, default)).Outcome);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task An_owner_that_lost_its_key_to_another_request_does_not_get_that_requests_answer(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis);
        var store = engine.Store();
        await store.Claim("k", "f", "first", 0, default);
        await store.Release("k", "first", keepFingerprint: false, default); // Has the same effect as losing the key in a failover.
        await store.Claim("k", "another request", "second", 0, default);
        Assert.Null(await store.Complete("k", "another request", "second", Answer, default));

        Assert.Null(await store.Complete("k", "f", "first", Answer with { Status = 200 }, default));
        Assert.Equal(201, (await store.Claim("k", "another request", "repeat", 0, default)).Answer!.Status);
    }

    [Fact]
    public async Task A_lock_does_not_outlive_its_lease_when_the_clock_of_the_process_goes_back()
    {
        var (clock, options) = (new ModelClock(), new IdempotencyOptions());
        var store = new EmbeddedIdempotencyStore(Options.Create(options), clock);
        await store.Claim("k", "f", "dead", 0, default);
        clock.Step(-TimeSpan.FromHours(1));
        Assert.Equal(ClaimOutcome.InFlight, (await store.Claim("k", "f", "next", 0, default)).Outcome);
        clock.Advance(options.Lease);
        Assert.Equal(ClaimOutcome.Taken, (await store.Claim("k", "f", "next", 0, default)).Outcome);
    }

    [RedisFact]
    public async Task A_lock_does_not_outlive_its_lease_when_the_clock_of_Redis_goes_back()
    {
        using var server = new ModelServer();
        await using var connection = await ModelConnection.Open(server);
        var options = new IdempotencyOptions();
        var store = new RedisIdempotencyStore(connection.Redis, Options.Create(options));
        await store.Claim("k", "f", "dead", 0, default);
        await server.Move(-TimeSpan.FromHours(1));
        Assert.Equal(ClaimOutcome.InFlight, (await store.Claim("k", "f", "next", 0, default)).Outcome);
        await server.Move(options.Lease);
        Assert.Equal(ClaimOutcome.Taken, (await store.Claim("k", "f", "next", 0, default)).Outcome);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_key_is_free_again_after_its_retention(bool withRedis)
    {
        await using var engine = await Engine.Start(withRedis, retention: TimeSpan.FromMilliseconds(300));
        var store = engine.Store();
        await store.Claim("k", "f", "a", 0, default);
        await store.Complete("k", "f", "a", Answer, default);
        await engine.Pass(TimeSpan.FromMilliseconds(400));
        Assert.Equal(ClaimOutcome.Taken, (await store.Claim("k", "another request", "b", 0, default)).Outcome);
    }

    [RedisFact]
    public async Task A_claim_fails_while_Redis_is_down()
    {
        await using var engine = await Engine.Start(withRedis: true);
        var store = engine.Store();
        engine.Redis!.Stop();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Claim("k", "f", "a", 0, default).AsTask());
    }

    [RedisFact]
    public async Task A_key_whose_claim_timed_out_is_released()
    {
        await using var engine = await Engine.Start(withRedis: true, lease: TimeSpan.FromHours(1), timeout: "00:00:00.100");
        var store = engine.Store();

        engine.Redis!.Freeze();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Claim("k", "f", "late", 0, default).AsTask());
        engine.Redis.Continue();

        await RedisStateTests.Until(async () =>
        {
            try
            {
                return (await store.Claim("k", "another request", "next", 0, default)).Outcome == ClaimOutcome.Taken;
            }
            catch (StoreUnavailableException)
            {
                return false; // Redis is not available yet.
            }
        });
    }

    [RedisFact]
    public async Task A_key_whose_claim_Redis_refused_half_way_is_released()
    {
        await using var engine = await Engine.Start(withRedis: true, lease: TimeSpan.FromHours(1));
        var store = engine.Store();

        engine.Redis!.Deny("pexpire");
        await Assert.ThrowsAsync<StoreRefusedException>(() => store.Claim("k", "f", "refused", 0, default).AsTask());
        engine.Redis.Allow("pexpire");

        await RedisStateTests.Until(async () =>
            (await store.Claim("k", "another request", "next", 0, default)).Outcome == ClaimOutcome.Taken
        );
    }

    [RedisFact]
    public async Task A_key_whose_release_failed_is_not_free()
    {
        await using var engine = await Engine.Start(withRedis: true, lease: TimeSpan.FromHours(1));
        var store = engine.Store();
        await store.Claim("k", "f", "a", 0, default);

        engine.Redis!.Deny("hset");
        await Assert.ThrowsAsync<StoreRefusedException>(() => store.Release("k", "a", keepFingerprint: true, default).AsTask());
        engine.Redis.Allow("hset");

        Assert.Equal(ClaimOutcome.InFlight, (await store.Claim("k", "f", "b", 0, default)).Outcome);
    }

    private sealed class Engine(ServiceProvider services, RedisServer? redis, ManualTimeProvider clock, IdempotencyOptions options)
        : IAsyncDisposable
    {
        public RedisServer? Redis => redis;

        public static async Task<Engine> Start(
            bool withRedis,
            TimeSpan? lease = null,
            TimeSpan? retention = null,
            string timeout = Generous.StateTimeout
        )
        {
            var redis = withRedis ? RedisServer.Run() : null;
            var options = new IdempotencyOptions
            {
                Lease = lease ?? TimeSpan.FromSeconds(10),
                Retention = retention ?? TimeSpan.FromHours(24),
            };
            return new(await StateEngines.Ready(redis?.ConnectionString, timeout: timeout), redis, new ManualTimeProvider(), options);
        }

        public IIdempotencyStore Store() =>
            redis is null
                ? new EmbeddedIdempotencyStore(Options.Create(options), clock)
                : new RedisIdempotencyStore(services.GetRequiredService<RedisState>(), Options.Create(options));

        /// <summary>Lets time pass. Redis uses its own clock, so the test has to wait.</summary>
        public Task Pass(TimeSpan time)
        {
            clock.Advance(time);
            return redis is null ? Task.CompletedTask : Task.Delay(time);
        }

        public async ValueTask DisposeAsync()
        {
            await services.DisposeAsync();
            redis?.Dispose();
        }
    }
}
