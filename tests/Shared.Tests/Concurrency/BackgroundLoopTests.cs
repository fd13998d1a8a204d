using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Bff.Concurrency;
using Bff.TestKit;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Concurrency;

public sealed class BackgroundLoopTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly string _name = $"test-{Guid.NewGuid():N}";
    private readonly LogRecorder _log = new();
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task Rounds_continue_after_any_exception_until_the_host_stops()
    {
        using var stopping = new CancellationTokenSource();
        var rounds = new ConcurrentQueue<TaskCompletionSource>(
            Enumerable.Range(0, 5).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
        );
        var ended = rounds.ToList();
        var loop = Loop()
            .Every(
                Interval,
                _clock,
                _ =>
                {
                    rounds.TryDequeue(out var round);
                    round?.TrySetResult();
                    throw rounds.Count % 2 == 0 ? (Exception)new InvalidOperationException() : new OperationCanceledException();
                },
                stopping.Token
            );

        foreach (var round in ended)
        {
            await Eventually.True(() =>
            {
                _clock.Advance(Interval);
                return round.Task.IsCompleted;
            });
        }

        Assert.False(loop.IsCompleted);
        await stopping.CancelAsync();
        await loop.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Every_failure_is_counted_and_only_a_new_kind_of_failure_is_logged()
    {
        var counted = 0L;
        using var meter = new MeterListener
        {
            InstrumentPublished = (i, l) =>
            {
                if (i.Name == "bff.background.failures")
                {
                    l.EnableMeasurementEvents(i);
                }
            },
        };
        meter.SetMeasurementEventCallback<long>(
            (_, n, tags, _) =>
            {
                foreach (var tag in tags)
                {
                    if (tag.Key == "loop" && (string?)tag.Value == _name)
                    {
                        Interlocked.Add(ref counted, n);
                    }
                }
            }
        );
        meter.Start();
        var loop = Loop();
        for (var i = 0; i < 3; i++)
        {
            Assert.False(await loop.Try(_ => throw new InvalidOperationException(), default));
        }

        Assert.False(await loop.Try(_ => throw new TimeoutException(), default));
        Assert.True(await loop.Try(_ => Task.CompletedTask, default));
        Assert.True(await loop.Try(_ => Task.CompletedTask, default));
        Assert.False(await loop.Try(_ => throw new TimeoutException(), default));

        Assert.Equal(5, counted);
        Assert.Equal([LogLevel.Warning, LogLevel.Warning, LogLevel.Information, LogLevel.Warning], _log.Entries.Select(e => e.Level));
    }

    [Fact]
    public async Task Each_part_of_a_loop_logs_its_failures_separately()
    {
        var loop = Loop();
        for (var i = 0; i < 2; i++)
        {
            Assert.True(
                await loop.Try(
                    _ =>
                    {
                        loop.Failed("acme", new InvalidOperationException());
                        loop.Failed("globex", new InvalidOperationException());
                        return Task.CompletedTask;
                    },
                    default
                )
            );
        }

        loop.Failed("acme", new TimeoutException());
        loop.Succeeded("acme");
        loop.Succeeded("acme");

        Assert.Equal(
            [(LogLevel.Warning, "acme"), (LogLevel.Warning, "globex"), (LogLevel.Warning, "acme"), (LogLevel.Information, "acme")],
            _log.Entries.Select(e => (e.Level, e.Message.Contains("acme", StringComparison.Ordinal) ? "acme" : "globex"))
        );
    }

    public void Dispose() => _log.Dispose();

    private BackgroundLoop Loop() => new(_name, _log.CreateLogger("test"));
}
