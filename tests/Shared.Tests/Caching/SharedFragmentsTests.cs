using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bff.Caching;
using Bff.Requests;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Caching;

/// <summary>Tests several instances that share one real Redis.</summary>
[Trait("Suite", "Store")]
public sealed class SharedFragmentsTests(SharedRedis redis) : IClassFixture<SharedRedis>
{
    private readonly ManualTimeProvider _clock = new();
    private readonly Upstream _upstream = new();

    [RedisFact]
    public async Task A_fragment_that_one_instance_has_read_is_served_by_another()
    {
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        var request = Fragments.Unique();
        await one.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(2));

        var shared = await two.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Cached, "first", 2), (shared.Source, shared.Answer.Value!.Text, shared.AgeSeconds));
        Assert.Equal(1, _upstream.Calls);
    }

    [RedisFact]
    public async Task A_fragment_of_another_instance_keeps_the_validators_of_its_service()
    {
        foreach (
            var (tag, time) in ((string?, string?)[])
                [("\"v1\"", "Thu, 01 Jan 2026 00:00:00 GMT"), ("\"é\"", null), (null, "Thu, 01 Jan 2026 00:00:00 GMT")]
        )
        {
            await HasValidators(tag, time);
        }
    }

    private async Task HasValidators(string? tag, string? time)
    {
        _upstream.Calls = 0;
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("first")) with { ETag = tag, LastModified = time };
        var request = Fragments.Unique();
        await one.Prime(request, _upstream);

        var shared = await two.Cache.Get(request, _upstream.Fetch, default);
        var kept = await two.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal(("first", tag, time), (shared.Answer.Value!.Text, shared.Answer.ETag, shared.Answer.LastModified));
        Assert.Equal((tag, time), (kept.Answer.ETag, kept.Answer.LastModified));
        Assert.Equal(1, _upstream.Calls);
    }

    [RedisFact]
    public async Task A_fragment_of_another_instance_is_served_and_refreshed_within_its_revalidation_time()
    {
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        var request = Fragments.Unique() with { Revalidate = TimeSpan.FromSeconds(60) };
        await one.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(20));
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));

        var aging = await two.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Cached, "first", 20), (aging.Source, aging.Answer.Value!.Text, aging.AgeSeconds));
        await RedisStateTests.Until(async () =>
            await two.Cache.Get(request, _upstream.Fetch, default) is { Source: FragmentSource.Cached, Answer.Value.Text: "second" }
        );
    }

    [RedisFact]
    public async Task A_stale_fragment_of_another_instance_is_served_only_when_the_upstream_fails()
    {
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        var request = Fragments.Unique();
        await one.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(20));

        _upstream.Answer = UpstreamAnswer<Item>.No(UpstreamOutcome.Timeout);
        var stale = await two.Cache.Get(request, _upstream.Fetch, default);
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));
        var live = await two.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Stale, "first", 20), (stale.Source, stale.Answer.Value!.Text, stale.AgeSeconds));
        Assert.Equal((FragmentSource.Live, "second"), (live.Source, live.Answer.Value!.Text));
    }

    [RedisFact]
    public async Task An_invalidation_whose_instance_died_is_finished_by_an_instance_that_reads_its_announcement()
    {
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        var request = Fragments.Unique();
        await one.Prime(request, _upstream);
        var announcements = two.Services.GetRequiredService<Announcements>();
        await announcements.Read(default);
        Assert.True(FragmentKey.TryMake(request, out var key));

        // Only the announcement is written, as when the instance dies right after it.
        await announcements.Append("bff:{announced}:cache", JsonSerializer.Serialize(request.Tags), default);
        await announcements.Read(default);

        await RedisStateTests.Until(async () => (await one.Shared.Read(key, request.Tags, default)).Json is null);
    }

    [RedisFact]
    public async Task An_invalidation_that_a_failover_lost_is_repeated()
    {
        using var primary = RedisServer.RunAlone();
        using var replica = RedisServer.Run("--replicaof", "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture));
        using var route = new RedisRoute(primary);
        await using var one = await CacheInstance.Start(route.Address, _clock);
        var request = Fragments.Unique();
        await one.Prime(request, _upstream);
        Assert.True(FragmentKey.TryMake(request, out var key));
        await Eventually.True(() => replica.Command("KEYS", "bff:cache:*") != "*0\r\n");
        replica.Command("REPLICAOF", "NO", "ONE");
        await one.Invalidator.Invalidate([request.Tags[0]], default);
        Assert.Null((await one.Shared.Read(key, request.Tags, default)).Json);

        route.LeadTo(replica); // By the tag's version that the replica knows, its copy of the fragment is still valid.

        await RedisStateTests.Until(async () => await one.Shared.Read(key, request.Tags, default) is { Versions: not null, Json: null });
        Assert.NotEqual("*0\r\n", replica.Command("KEYS", "bff:cache:tag:*"));
    }

    [RedisFact]
    public async Task An_invalidation_reaches_the_other_instances_memory()
    {
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        var request = Fragments.Unique();
        await one.Prime(request, _upstream);
        await RedisStateTests.Until(async () =>
        {
            await two.Cache.Get(request, _upstream.Fetch, default);
            return two.Cache.TryGet(request, out _);
        });
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));

        await one.Invalidator.Invalidate([request.Tags[0]], default);

        await RedisStateTests.Until(() => Task.FromResult(!two.Cache.TryGet(request, out _)));
        Assert.Equal("second", (await two.Cache.Get(request, _upstream.Fetch, default)).Answer.Value!.Text);
    }

    [RedisFact]
    public async Task A_read_that_another_instance_began_before_an_invalidation_is_not_shared_after_it()
    {
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        var request = Fragments.Unique();
        Assert.True(FragmentKey.TryMake(request, out var key));

        // Instance two reads the versions and calls the upstream, then writes late without having heard of the invalidation.
        var seen = await two.Shared.Read(key, request.Tags, default);
        await one.Invalidator.Invalidate([request.Tags[0]], default);
        await two.Shared.Write(key, seen.Versions!, """{"Text":"old"}"""u8.ToArray(), default, TimeSpan.Zero, TimeSpan.FromSeconds(60));

        Assert.Equal("first", (await one.Cache.Get(request, _upstream.Fetch, default)).Answer.Value!.Text);
    }

    [RedisFact]
    public async Task A_callers_fragment_in_redis_is_never_served_to_other_callers()
    {
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        var request = Fragments.Unique(CacheScope.Caller);
        await one.Prime(request, _upstream);
        Caller[] others =
        [
            new()
            {
                Subject = "bob",
                Tenant = "acme",
                Kind = CallerKind.Token,
            },
            new()
            {
                Subject = "ann",
                Tenant = "other",
                Kind = CallerKind.Token,
            },
            new() { Subject = "ann", Kind = CallerKind.Token },
            new()
            {
                Subject = "ann",
                Tenant = "acme",
                Kind = CallerKind.ApiKey,
            },
            new()
            {
                Subject = "ann",
                Tenant = "acme",
                Kind = CallerKind.Token,
                IsSandbox = true,
            },
            Caller.Anonymous,
        ];

        foreach (var other in others)
        {
            Assert.Equal(FragmentSource.Live, (await two.Cache.Get(request with { Caller = other }, _upstream.Fetch, default)).Source);
        }

        Assert.Equal(FragmentSource.Cached, (await two.Cache.Get(request, _upstream.Fetch, default)).Source);
    }

    [
        RedisTheory,
        InlineData("garbage"),
        InlineData("truncated"),
        InlineData("flipped"),
        InlineData("other key's"),
        InlineData("too large"),
        InlineData("a list")
    ]
    public async Task A_damaged_value_is_a_miss_and_is_replaced(string damage)
    {
        await using var one = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        await using var two = await CacheInstance.Start(redis.Server.ConnectionString, _clock);
        var request = Fragments.Unique();
        var neighbour = Fragments.Unique() with { Tags = request.Tags };
        await one.Prime(request, _upstream);
        await one.Prime(neighbour, _upstream);
        var host = Microsoft.AspNetCore.Builder.WebApplication.CreateSlimBuilder().Environment.ApplicationName;
        var (name, other) = (Name(request, host), Name(neighbour, host));
        await one.Redis.Run(
            "GET",
            async database =>
            {
                byte[] value = (await database.StringGetAsync(name))!;
                switch (damage)
                {
                    case "garbage":
                        return await database.StringSetAsync(name, new byte[] { 1, 2, 3 });
                    case "truncated":
                        return await database.StringSetAsync(name, value[..^3]);
                    case "flipped":
                        value[^4] ^= 1;
                        return await database.StringSetAsync(name, value);
                    case "other key's":
                        return await database.StringSetAsync(name, await database.StringGetAsync(other));
                    case "too large":
                        return await database.StringSetAsync(name, new byte[3 << 20]);
                    default:
                        await database.KeyDeleteAsync(name);
                        return await database.ListLeftPushAsync(name, "x") > 0;
                }
            }
        );
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));

        var read = await two.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Live, "second"), (read.Source, read.Answer.Value!.Text));
        await two.Settled(request);
    }

    [RedisFact]
    public async Task Reads_go_to_the_upstream_and_invalidation_fails_while_redis_is_down()
    {
        using var server = RedisServer.Run();
        await using var instance = await CacheInstance.Start(server.ConnectionString, _clock);
        server.Stop();
        await RedisStateTests.Until(() => Task.FromResult(!instance.Redis.IsAvailable));
        var watch = Stopwatch.StartNew();

        for (var i = 0; i < 100; i++)
        {
            Assert.Equal("first", (await instance.Cache.Get(Fragments.Unique(), _upstream.Fetch, default)).Answer.Value!.Text);
        }

        // If each read waited for its timeout of five seconds, the loop would take five hundred seconds.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"100 reads took {watch.Elapsed}");
        var kept = Fragments.Unique();
        await instance.Cache.Get(kept, _upstream.Fetch, default);
        await Assert.ThrowsAsync<Bff.State.StoreUnavailableException>(() => instance.Invalidator.Invalidate([kept.Tags[0]], default));
        Assert.False(instance.Cache.TryGet(kept, out _));
    }

    [RedisFact]
    public async Task After_a_lost_connection_the_memory_is_dropped_because_messages_may_have_been_missed()
    {
        using var server = RedisServer.Run();
        await using var instance = await CacheInstance.Start(server.ConnectionString, _clock);
        server.Stop();
        await RedisStateTests.Until(() => Task.FromResult(!instance.Redis.IsAvailable));
        var request = Fragments.Unique();
        await instance.Cache.Get(request, _upstream.Fetch, default);
        Assert.True(instance.Cache.TryGet(request, out _));

        server.Start();

        await RedisStateTests.Until(() => Task.FromResult(!instance.Cache.TryGet(request, out _)));
    }

    [RedisFact]
    public async Task A_frozen_redis_delays_reads_by_at_most_its_timeout_until_it_counts_as_unavailable()
    {
        using var server = RedisServer.Run();
        await using var instance = await CacheInstance.Start(server.ConnectionString, _clock, timeout: "00:00:01");
        server.Freeze();
        var watch = Stopwatch.StartNew();

        while (instance.Redis.IsAvailable)
        {
            Assert.Equal("first", (await instance.Cache.Get(Fragments.Unique(), _upstream.Fetch, default)).Answer.Value!.Text);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30));
        }

        server.Continue();
    }

    private static string Name(FragmentRequest<Item> request, string host) =>
        FragmentKey.TryMake(request, out var key) ? key.SharedName(host) : throw new InvalidOperationException();
}
