using Bff.Concurrency;
using Bff.TestKit;

namespace Bff.Shared.Tests.Concurrency;

public sealed class SignalTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly ManualTimeProvider _clock = new();
    private readonly Signal _signal = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _begun = new(0);
    private readonly SemaphoreSlim _mayEnd = new(0);

    [Fact]
    public async Task The_loop_runs_at_once_then_at_each_signal_and_each_interval()
    {
        var loop = _signal.Follow(Interval, _clock, Work, _stopping.Token);
        await RunOnce();

        _signal.Set();
        await RunOnce();

        _clock.Advance(Interval);
        await RunOnce();
        Assert.False(loop.IsCompleted);
        await Stop(loop);
    }

    [Fact]
    public async Task Signals_and_ticks_during_a_run_cause_one_more_run()
    {
        var loop = _signal.Follow(Interval, _clock, Work, _stopping.Token);
        Assert.True(await _begun.WaitAsync(TimeSpan.FromSeconds(30)));
        _signal.Set();
        _clock.Advance(Interval);
        _signal.Set();
        _mayEnd.Release();

        await RunOnce();
        Assert.Equal(0, _begun.CurrentCount);
        await Stop(loop);
    }

    [Fact]
    public async Task A_wait_ends_with_the_signal_the_timeout_or_the_cancellation()
    {
        var signalled = _signal.Wait(Interval, _clock, default);
        _signal.Set();
        await signalled.WaitAsync(TimeSpan.FromSeconds(30));

        var timed = _signal.Wait(Interval, _clock, default);
        Assert.False(timed.IsCompleted);
        _clock.Advance(Interval);
        await timed.WaitAsync(TimeSpan.FromSeconds(30));

        var stopped = _signal.Wait(Interval, _clock, _stopping.Token);
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped);
        Assert.Equal(0, _clock.ActiveTimers);
    }

    [Fact]
    public async Task A_cleared_signal_ends_no_wait_and_a_disposed_signal_can_still_be_set()
    {
        _signal.Set();
        _signal.Clear();
        var waiting = _signal.Wait(_stopping.Token);
        Assert.False(waiting.IsCompleted);
        _signal.Set();
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));

        _signal.Dispose();
        _signal.Set();
    }

    public void Dispose()
    {
        _signal.Dispose();
        _stopping.Dispose();
        _begun.Dispose();
        _mayEnd.Dispose();
    }

    private async Task Work(CancellationToken stopping)
    {
        _begun.Release();
        await _mayEnd.WaitAsync(stopping);
    }

    private async Task RunOnce()
    {
        Assert.True(await _begun.WaitAsync(TimeSpan.FromSeconds(30)));
        _mayEnd.Release();
    }

    private async Task Stop(Task loop)
    {
        await _stopping.CancelAsync();
        await loop.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
