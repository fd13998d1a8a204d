using Bff.Caching;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Caching;

/// <summary>Tests the fragment cache on both engines.</summary>
public sealed class FragmentCacheTests(SharedRedis redis) : IClassFixture<SharedRedis>
{
    private readonly ManualTimeProvider _clock = new();
    private readonly Upstream _upstream = new();

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_fresh_fragment_is_served_without_asking_the_upstream(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();

        var first = await instance.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(4));
        var second = await instance.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Live, "first"), (first.Source, first.Answer.Value!.Text));
        Assert.Equal((FragmentSource.Cached, "first", 4), (second.Source, second.Answer.Value!.Text, second.AgeSeconds));
        Assert.Equal("""{"Text":"first","Owner":""}""", System.Text.Encoding.UTF8.GetString(second.Json.Span));
        Assert.Equal(1, _upstream.Calls);
    }

    [Theory]
    [InlineData("in process", UpstreamOutcome.NotFound, 404), InlineData("in process", UpstreamOutcome.Rejected, 410)]
    [RedisData("redis", UpstreamOutcome.NotFound, 404), RedisData("redis", UpstreamOutcome.Rejected, 410)]
    public async Task A_fragment_that_its_upstream_reports_gone_is_not_served_as_stale(string engine, UpstreamOutcome outcome, int status)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        await instance.Prime(request, _upstream);
        _clock.Advance(request.Fresh);

        var gone = await instance.Cache.Get(request, _ => new(UpstreamAnswer<Item>.No(outcome, status)), default);
        var failed = await instance.Cache.Get(request, _ => new(UpstreamAnswer<Item>.No(UpstreamOutcome.Failed)), default);

        Assert.Equal(outcome, gone.Answer.Outcome);
        Assert.Equal(UpstreamOutcome.Failed, failed.Answer.Outcome);
        Assert.False(instance.Cache.TryStandIn(request, out _));
    }

    [Theory, InlineData("in process", true), InlineData("in process", false), RedisData("redis", true), RedisData("redis", false)]
    public async Task Two_hundred_identical_reads_are_one_call(string engine, bool kept)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = kept ? Fragments.Unique() : Fragments.Unique() with { Fresh = default, Stale = default };
        _upstream.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        var reads = Enumerable.Range(0, 200).Select(_ => instance.Cache.Get(request, _upstream.Fetch, default).AsTask()).ToArray();
        await _upstream.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        _upstream.Gate.SetResult();

        Assert.All(await Task.WhenAll(reads), r => Assert.Equal("first", r.Answer.Value!.Text));
        Assert.Equal(1, _upstream.Calls);
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_read_that_missed_just_before_another_read_filled_the_cache_makes_no_second_call(string engine)
    {
        var clock = new InterruptedTimeProvider(_clock);
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), clock);
        var request = Fragments.Unique();

        // A read creates the flight's timer after its cache lookup and before its upstream call.
        clock.BeforeTimer(() => Assert.True(instance.Cache.Get(request, _upstream.Fetch, default).AsTask().Wait(TimeSpan.FromSeconds(30))));
        var late = await instance.Cache.Get(request, _upstream.Fetch, default);

        Assert.True(clock.HasHappened);
        Assert.Equal((FragmentSource.Cached, "first"), (late.Source, late.Answer.Value!.Text));
        Assert.Equal(1, _upstream.Calls);
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task An_answer_that_is_not_cached_is_fetched_again(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique() with { Fresh = default, Stale = default };

        await instance.Cache.Get(request, _upstream.Fetch, default);
        var second = await instance.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Live, 2), (second.Source, _upstream.Calls));
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_stale_fragment_is_not_served_while_its_upstream_answers(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        await instance.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(6));
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));

        var read = await instance.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Live, "second", 2), (read.Source, read.Answer.Value!.Text, _upstream.Calls));
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_stale_fragment_does_not_replace_a_not_found_answer_of_the_upstream(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        await instance.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(6));
        _upstream.Answer = UpstreamAnswer<Item>.No(UpstreamOutcome.NotFound, 404);

        var read = await instance.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Live, UpstreamOutcome.NotFound), (read.Source, read.Answer.Outcome));
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_fragment_within_its_revalidation_time_is_served_while_one_flight_refreshes_it(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique() with { Revalidate = TimeSpan.FromSeconds(30) };
        await instance.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(6));
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));
        _upstream.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _upstream.Asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        var meanwhile = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => instance.Cache.Get(request, _upstream.Fetch, default).AsTask())
        );
        await _upstream.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.All(meanwhile, r => Assert.Equal((FragmentSource.Cached, "first", 6), (r.Source, r.Answer.Value!.Text, r.AgeSeconds)));
        _upstream.Gate.SetResult();
        await State.RedisStateTests.Until(async () =>
            await instance.Cache.Get(request, _upstream.Fetch, default)
                is { Source: FragmentSource.Cached, AgeSeconds: 0, Answer.Value.Text: "second" }
        );
        Assert.InRange(_upstream.Calls, 2, engine == "redis" ? 3 : 2);
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_fragment_past_its_revalidation_time_is_refreshed_before_the_answer(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique() with { Revalidate = TimeSpan.FromSeconds(30) };
        await instance.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(36));
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));

        var read = await instance.Cache.Get(request, _upstream.Fetch, default);

        Assert.Equal((FragmentSource.Live, "second"), (read.Source, read.Answer.Value!.Text));
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_caller_joins_no_flight_from_before_its_own_write_and_caches_its_later_read(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique(CacheScope.Caller);
        var gate = _upstream.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var before = instance.Cache.Get(request, _upstream.Fetch, default).AsTask();
        await _upstream.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30));

        instance.Services.GetRequiredService<ReadGenerations>().Wrote(Fragments.Ann);
        _upstream.Gate = null;
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));
        var after = await instance.Cache.Get(request, _upstream.Fetch, default).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        gate.SetResult();

        Assert.Equal(("first", "second"), ((await before).Answer.Value!.Text, after.Answer.Value!.Text));
        Assert.Equal("second", (await instance.Cache.Get(request, _upstream.Fetch, default)).Answer.Value!.Text);
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_stale_fragment_is_served_while_its_upstream_fails_until_its_stale_time_ends(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        await instance.Prime(request, _upstream);
        _upstream.Answer = UpstreamAnswer<Item>.No(UpstreamOutcome.Failed, 500);

        for (var second = 6; second < 64; second += 10)
        {
            _clock.Advance(TimeSpan.FromSeconds(second == 6 ? 6 : 10));
            var stale = await instance.Cache.Get(request, _upstream.Fetch, default);
            Assert.Equal((FragmentSource.Stale, "first", second), (stale.Source, stale.Answer.Value?.Text, stale.AgeSeconds));
        }

        _clock.Advance(TimeSpan.FromSeconds(10));
        var over = await instance.Cache.Get(request, _upstream.Fetch, default);
        Assert.Equal((FragmentSource.Live, false), (over.Source, over.Answer.IsOk));
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_failure_is_never_cached(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        foreach (
            var outcome in new[] { UpstreamOutcome.NotFound, UpstreamOutcome.Failed, UpstreamOutcome.Timeout, UpstreamOutcome.Unavailable }
        )
        {
            _upstream.Answer = UpstreamAnswer<Item>.No(outcome);
            Assert.Equal(outcome, (await instance.Cache.Get(request, _upstream.Fetch, default)).Answer.Outcome);
        }

        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("good"));
        Assert.Equal("good", (await instance.Cache.Get(request, _upstream.Fetch, default)).Answer.Value!.Text);
        Assert.Equal(5, _upstream.Calls);
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_caller_that_cancels_does_not_cancel_the_flight_of_the_others(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        _upstream.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var impatient = new CancellationTokenSource();
        var first = instance.Cache.Get(request, _upstream.Fetch, impatient.Token).AsTask();
        await _upstream.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var second = instance.Cache.Get(request, _upstream.Fetch, default).AsTask();

        await impatient.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(_upstream.LastToken.IsCancellationRequested);
        _upstream.Gate.SetResult();
        Assert.Equal("first", (await second).Answer.Value!.Text);
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_flight_is_cancelled_when_its_last_caller_leaves_and_the_next_caller_starts_a_new_one(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        _upstream.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var impatient = new CancellationTokenSource();
        var only = instance.Cache.Get(request, _upstream.Fetch, impatient.Token).AsTask();
        await _upstream.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var ended = _upstream.LastToken;

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => only);

        Assert.True(ended.IsCancellationRequested);
        _upstream.Gate = null;
        Assert.Equal("first", (await instance.Cache.Get(request, _upstream.Fetch, default)).Answer.Value!.Text);
        Assert.Equal(2, _upstream.Calls);
    }

    [Fact]
    public async Task A_flight_that_takes_too_long_is_a_timeout()
    {
        await using var instance = await CacheInstance.Start(null, _clock);
        _upstream.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var read = instance.Cache.Get(Fragments.Unique(), _upstream.Fetch, default).AsTask();

        _clock.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(UpstreamOutcome.Timeout, (await read.WaitAsync(TimeSpan.FromSeconds(30))).Answer.Outcome);
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task An_exception_in_a_client_reaches_the_waiting_caller_and_is_not_cached(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() =>
            instance.Cache.Get(request, _ => throw new InvalidTimeZoneException(), default).AsTask()
        );

        Assert.Equal("first", (await instance.Cache.Get(request, _upstream.Fetch, default)).Answer.Value!.Text);
    }

    [Theory, InlineData("in process", 0), InlineData("in process", 10), RedisData("redis", 0), RedisData("redis", 10)]
    public async Task An_invalidated_fragment_is_not_served_even_as_stale(string engine, int age)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        await instance.Prime(request, _upstream);
        _clock.Advance(TimeSpan.FromSeconds(age));
        _upstream.Answer = UpstreamAnswer<Item>.No(UpstreamOutcome.Failed, 500);

        await instance.Invalidator.Invalidate([request.Tags[0]], default);

        var after = await instance.Cache.Get(request, _upstream.Fetch, default);
        Assert.Equal((FragmentSource.Live, UpstreamOutcome.Failed), (after.Source, after.Answer.Outcome));
    }

    [Theory, InlineData("in process"), RedisData("redis")]
    public async Task A_read_in_flight_during_an_invalidation_is_neither_cached_nor_joined(string engine)
    {
        await using var instance = await CacheInstance.Start(redis.AddressFor(engine), _clock);
        var request = Fragments.Unique();
        var gate = _upstream.Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var before = instance.Cache.Get(request, _upstream.Fetch, default).AsTask();
        await _upstream.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await instance.Invalidator.Invalidate([request.Tags[0]], default);
        _upstream.Gate = null;
        _upstream.Answer = UpstreamAnswer<Item>.Ok(new("second"));
        var after = await instance.Cache.Get(request, _upstream.Fetch, default);
        gate.SetResult();

        Assert.Equal("second", after.Answer.Value!.Text);
        Assert.Equal("first", (await before).Answer.Value!.Text);
        var later = await instance.Cache.Get(request, _upstream.Fetch, default);
        Assert.NotEqual("first", later.Answer.Value!.Text);
    }
}
