using System.Diagnostics;
using Bff.RateLimiting;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using StackExchange.Redis;

namespace Bff.Shared.Tests.RateLimiting;

[StoreSuite(typeof(ILimitStore))]
public sealed class EmbeddedLimitStoreTests : LimitStoreBehaviour
{
    private readonly ManualTimeProvider _clock = new();

    private protected override Task<ILimitStore> Store() => Task.FromResult<ILimitStore>(new EmbeddedLimitStore(_clock));

    private protected override Task Pass(TimeSpan time)
    {
        _clock.Advance(time);
        return Task.CompletedTask;
    }

    private protected override Task StepBack(string tag, string key, TimeSpan by)
    {
        _clock.Advance(-by / 2); // Each of two buckets calls this once.
        return Task.CompletedTask;
    }

    [Fact]
    public Task A_clock_step_back_adds_no_tokens_and_refilling_continues() => A_clock_step_back_adds_no_tokens_and_refilling_continues_();

    [Fact]
    public Task A_full_bucket_admits_its_burst_and_then_what_refills() => A_full_bucket_admits_its_burst_and_then_what_refills_();

    [Fact]
    public Task A_level_that_refuses_takes_nothing_from_the_others() => A_level_that_refuses_takes_nothing_from_the_others_();

    [Fact]
    public Task Wanted_tokens_are_taken_as_far_as_available_and_can_be_returned() =>
        Wanted_tokens_are_taken_as_far_as_available_and_can_be_returned_();

    [Fact]
    public Task The_daily_quota_ends_admission_and_overage_continues_to_its_ceiling_and_is_counted() =>
        The_daily_quota_ends_admission_and_overage_continues_to_its_ceiling_and_is_counted_();

    [Fact]
    public Task A_bucket_made_smaller_holds_no_more_than_its_new_size() => A_bucket_made_smaller_holds_no_more_than_its_new_size_();

    [Fact]
    public Task Concurrent_callers_get_no_more_tokens_than_the_bucket_has() => Concurrent_callers_get_no_more_tokens_than_the_bucket_has_();

    [Fact]
    public async Task A_new_day_brings_a_new_quota_and_a_clock_step_back_brings_none()
    {
        var store = await Store();
        var policy = new BucketPolicy("burst", 10, 1, PerDay: 2);
        Assert.True((await store.Take("a", [new("b", policy, 2, 2)])).IsAdmitted);
        Assert.False((await store.Take("a", [new("b", policy, 1, 1)])).IsAdmitted);
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.True((await store.Take("a", [new("b", policy, 2, 2)])).IsAdmitted);
        _clock.Advance(TimeSpan.FromHours(-30));
        Assert.False((await store.Take("a", [new("b", policy, 1, 1)])).IsAdmitted);
    }
}

/// <summary>Runs the suite on a real server.</summary>
public class RedisLimitStoreTests : LimitStoreBehaviour, IDisposable
{
    private RedisServer? _server;
    private readonly string _name = "Tests-" + Guid.NewGuid().ToString("N");
    private ServiceProvider? _provider;

    private protected virtual string ConnectionString => (_server ??= RedisServer.Run()).ConnectionString;

    private protected override async Task<ILimitStore> Store()
    {
        _provider = await StateEngines.Ready(ConnectionString);
        // Waits until no day can end within the test.
        await Eventually.True(() => TimeProvider.System.GetUtcNow().TimeOfDay < TimeSpan.FromSeconds(86_400 - 15));
        return new RedisLimitStore(_provider.GetRequiredService<RedisState>(), new HostingEnvironment { ApplicationName = _name });
    }

    /// <summary>Waits in real time, because the server's clock cannot be moved.</summary>
    private protected override async Task Pass(TimeSpan time)
    {
        var passed = Stopwatch.StartNew();
        await RedisStateTests.Until(() => Task.FromResult(passed.Elapsed > time));
    }

    /// <summary>Dates the bucket in the future, which has the same effect on it as a server whose clock went back.</summary>
    private protected override async Task StepBack(string tag, string key, TimeSpan by)
    {
        var redis = _provider!.GetRequiredService<RedisState>();
        RedisKey bucket = $"bff:limits:{BucketKeys.Safe(_name)}:{{{tag}}}:{key}";
        var fields = (await redis.Run("HGETALL", db => db.HashGetAllAsync(bucket))).ToDictionary(f => (string)f.Name!, f => (long)f.Value);
        var at = fields["t"] + (by.Ticks / TimeSpan.TicksPerMicrosecond);
        await redis.Run("HSET", db => db.HashSetAsync(bucket, "t", at));
        if (fields.ContainsKey("d"))
        {
            await redis.Run("HSET", db => db.HashSetAsync(bucket, "d", at / BucketPolicy.MicrosPerDay));
        }
    }

    [RedisFact]
    public Task A_clock_step_back_adds_no_tokens_and_refilling_continues() => A_clock_step_back_adds_no_tokens_and_refilling_continues_();

    [RedisFact]
    public Task A_full_bucket_admits_its_burst_and_then_what_refills() => A_full_bucket_admits_its_burst_and_then_what_refills_();

    [RedisFact]
    public Task A_level_that_refuses_takes_nothing_from_the_others() => A_level_that_refuses_takes_nothing_from_the_others_();

    [RedisFact]
    public Task Wanted_tokens_are_taken_as_far_as_available_and_can_be_returned() =>
        Wanted_tokens_are_taken_as_far_as_available_and_can_be_returned_();

    [RedisFact]
    public Task The_daily_quota_ends_admission_and_overage_continues_to_its_ceiling_and_is_counted() =>
        The_daily_quota_ends_admission_and_overage_continues_to_its_ceiling_and_is_counted_();

    [RedisFact]
    public Task A_bucket_made_smaller_holds_no_more_than_its_new_size() => A_bucket_made_smaller_holds_no_more_than_its_new_size_();

    [RedisFact]
    public Task Concurrent_callers_get_no_more_tokens_than_the_bucket_has() => Concurrent_callers_get_no_more_tokens_than_the_bucket_has_();

    [RedisFact]
    public async Task Instances_that_take_leases_get_a_turn_each_until_they_fall_silent()
    {
        var store = await Store();
        Assert.Equal(new LeaseRotation(0, 1), await store.Join("b"));
        Assert.Equal(new LeaseRotation(0, 2), await store.Join("a"));
        Assert.Equal(new LeaseRotation(2, 3), await store.Join("c"));
        Assert.Equal(new LeaseRotation(1, 3), await store.Join("b"));
        await RedisStateTests.Until(async () => await store.Join("c") == new LeaseRotation(0, 1));
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        _provider?.Dispose();
        _server?.Dispose();
    }
}

/// <summary>Runs the suite on a real cluster.</summary>
public sealed class RedisClusterLimitStoreTests(RedisClusterFixture cluster) : RedisLimitStoreTests, IClassFixture<RedisClusterFixture>
{
    private protected override string ConnectionString => cluster.ConnectionString;
}
