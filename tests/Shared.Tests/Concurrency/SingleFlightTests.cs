using Bff.Concurrency;
using Bff.TestKit;

namespace Bff.Shared.Tests.Concurrency;

public sealed class SingleFlightTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _clock = new();
    private readonly SingleFlight<string> _flights = new(StringComparer.Ordinal);
    private readonly List<TaskCompletionSource<int>> _begun = [];

    [Fact]
    public async Task Concurrent_callers_share_one_flight_and_later_callers_start_another()
    {
        var (one, other, elsewhere) = (Run("a"), Run("a"), Run("b"));
        Assert.Equal(2, _begun.Count);

        _begun[0].SetResult(1);
        _begun[1].SetResult(2);
        Assert.Equal((1, 1, 2), (await one, await other, await elsewhere));

        var later = Run("a");
        _begun[2].SetResult(3);
        Assert.Equal(3, await later);
    }

    [Fact]
    public async Task A_failure_reaches_every_waiting_caller_and_the_next_caller_starts_a_new_flight()
    {
        var (one, other) = (Run("a"), Run("a"));
        _begun[0].SetException(new InvalidDataException("away"));
        await Assert.ThrowsAsync<InvalidDataException>(() => one);
        await Assert.ThrowsAsync<InvalidDataException>(() => other);

        var next = Run("a");
        _begun[1].SetResult(2);
        Assert.Equal(2, await next);
    }

    [Fact]
    public async Task A_flight_without_an_owner_continues_after_its_callers_have_cancelled()
    {
        using var gone = new CancellationTokenSource();
        var waiting = Run("a").WaitAsync(gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        var other = Run("a");
        _begun.Single().SetResult(1);
        Assert.Equal(1, await other);
    }

    [Fact]
    public async Task No_flight_starts_beyond_the_limit_but_running_flights_can_be_joined()
    {
        Assert.NotNull(_flights.TryRun("a", 1, 0, (_, _) => Begin()));
        Assert.Null(_flights.TryRun("b", 1, 0, (_, _) => Begin()));
        var joined = _flights.TryRun("a", 1, 0, (_, _) => Begin());

        _begun.Single().SetResult(1);
        Assert.Equal(1, await joined!);
        Assert.NotNull(_flights.TryRun("b", 1, 0, (_, _) => Begin()));
    }

    [Fact]
    public async Task A_shared_flight_is_cancelled_when_its_last_caller_leaves_and_the_next_starts_a_new_one()
    {
        var (first, isFirst) = Join("a");
        var (same, isSecond) = Join("a");
        Assert.Equal((true, false), (isFirst, isSecond));
        Assert.Same(first, same);

        using var gone = new CancellationTokenSource();
        var (one, other) = (first.Wait(gone.Token).AsTask(), first.Wait(default).AsTask());
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        Assert.False(first.Token.IsCancellationRequested); // One caller still waits.

        var (third, isThird) = Join("a");
        Assert.False(isThird);
        first.Complete(1);
        _flights.End("a", first);
        Assert.Equal((1, 1), (await other, await third.Wait(default)));

        var (alone, isNew) = Join("a");
        Assert.True(isNew);
        var ended = alone.Token;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await alone.Wait(new(canceled: true)));
        Assert.True(ended.IsCancellationRequested);

        Assert.True(Join("a").IsOwn); // A flight that has ended cannot be joined.
    }

    [Fact]
    public void A_shared_flight_is_cancelled_at_its_time_limit()
    {
        var (run, _) = Join("a");
        _clock.Advance(Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(run.Token.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(run.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task A_caller_that_may_not_join_starts_a_new_flight_and_earlier_callers_keep_theirs()
    {
        var (old, _) = Join("a");
        var waiting = old.Wait(default);
        Assert.True(_flights.Join("a", this, static t => t.New(), static (_, _) => false, out var young));
        Assert.NotSame(old, young);

        old.Complete(1);
        _flights.End("a", old); // Ending the old flight leaves the new one running.
        Assert.Equal(1, await waiting);
        Assert.Same(young, Join("a").Run);
    }

    [Fact]
    public async Task A_led_flight_is_closed_to_joiners_before_its_outcome_is_handed_over()
    {
        var (run, _) = Join("a");
        var work = new TaskCompletionSource<int>();
        var leading = _flights.Lead("a", run, work.Task);
        Assert.True(_flights.IsRunning("a"));

        work.SetException(new InvalidDataException("away"));
        await leading;
        Assert.False(_flights.IsRunning("a"));
        await Assert.ThrowsAsync<InvalidDataException>(async () => await run.Wait(default));
    }

    [Fact]
    public void A_flight_without_callers_starts_only_when_none_is_running()
    {
        Assert.True(_flights.TryBegin("a", New()));
        Assert.False(_flights.TryBegin("a", New()));
        Assert.False(Join("a").IsOwn);
    }

    private Task<int> Run(string key) => _flights.Run(key, this, static (_, test) => test.Begin());

    private Task<int> Begin()
    {
        _begun.Add(new(TaskCreationOptions.RunContinuationsAsynchronously));
        return _begun[^1].Task;
    }

    private (SharedRun<int> Run, bool IsOwn) Join(string key)
    {
        var isOwn = _flights.Join(key, this, static test => test.New(), static (_, _) => true, out var run);
        return (run, isOwn);
    }

    private SharedRun<int> New() => new(Limit, _clock);
}
