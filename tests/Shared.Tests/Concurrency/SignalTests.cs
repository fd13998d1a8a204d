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
    public async Task The_loop_works_at_once_then_with_each_signal_and_each_interval()
    {
        var loop = _signal.Follow(Interval, _clock, Work, _stopping.Token);
        await Works();

        _signal.Set();
        await Works();

        _clock.Advance(Interval);
        await Works();
        Assert.False(loop.IsCompleted);
        await Ends(loop);
    }

    [Fact]
    public async Task What_is_signalled_or_ticks_while_it_works_is_looked_at_once_more()
    {
        var loop = _signal.Follow(Interval, _clock, Work, _stopping.Token);
        Assert.True(await _begun.WaitAsync(TimeSpan.FromSeconds(30)));
        _signal.Set();
        _clock.Advance(Interval);
        _signal.Set();
        _mayEnd.Release();

        await Works();
        Assert.Equal(0, _begun.CurrentCount);
        await Ends(loop);
    }

    [Fact]
    public async Task A_wait_ends_with_the_signal_or_with_its_time()
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
    public async Task A_cleared_signal_wakes_nothing_and_one_that_is_gone_does_no_harm()
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

    private async Task Works()
    {
        Assert.True(await _begun.WaitAsync(TimeSpan.FromSeconds(30)));
        _mayEnd.Release();
    }

    private async Task Ends(Task loop)
    {
        await _stopping.CancelAsync();
        await loop.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
