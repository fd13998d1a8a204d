using Bff.Concurrency;
using Bff.TestKit;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Concurrency;

public sealed class PeriodicFlushTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly ManualTimeProvider _clock = new();
    private readonly ILoggerFactory _logging = WatchedLogging.NewFactory();

    [Fact]
    public async Task Collected_items_are_written_at_each_interval_on_request_and_at_the_stop()
    {
        using var flush = new Counting(_clock, _logging);
        await flush.StartAsync(default);
        await Eventually.True(() => _clock.DueIn(Interval) == 1);

        _clock.Advance(Interval);
        await Eventually.True(() => flush.Written == 1);
        await flush.Flush(default);
        Assert.Equal(2, flush.Written);

        await flush.StopAsync(default);
        Assert.Equal(3, flush.Written);
    }

    [Fact]
    public async Task A_flush_waits_for_the_running_flush_and_its_caller_can_cancel_the_wait()
    {
        using var flush = new Counting(_clock, _logging) { Held = new(TaskCreationOptions.RunContinuationsAsynchronously) };
        var (first, second) = (flush.Flush(default), flush.Flush(default));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush.Flush(new CancellationToken(canceled: true)));
        Assert.Equal((1, 0), (flush.Begun, flush.Written));

        flush.Held.SetResult();
        await Task.WhenAll(first, second).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((2, 2), (flush.Begun, flush.Written));
    }

    public void Dispose() => _logging.Dispose();

    private sealed class Counting(TimeProvider time, ILoggerFactory logging)
        : PeriodicFlush(new("counting", logging.CreateLogger<PeriodicFlushTests>()), Interval, time)
    {
        private int _begun;
        private int _written;

        public TaskCompletionSource? Held { get; init; }

        public int Begun => Volatile.Read(ref _begun);

        public int Written => Volatile.Read(ref _written);

        protected override async Task Write(CancellationToken cancellation)
        {
            Interlocked.Increment(ref _begun);
            await (Held?.Task ?? Task.CompletedTask);
            Interlocked.Increment(ref _written);
        }
    }
}
