using System.Runtime.CompilerServices;
using Bff.Concurrency;

namespace Bff.Shared.Tests.Concurrency;

#pragma warning disable CA2012 // The tests read results twice on purpose.
/// <summary>Tests async methods whose state objects are reused: no run may see state of another.</summary>
public sealed class ReusedStateBuilderTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Fact]
    public async Task A_run_that_never_awaits_completes_synchronously_with_its_result_or_failure()
    {
        var done = Echo(Task.CompletedTask, "value");
        Assert.True(done.IsCompletedSuccessfully);
        Assert.Equal("value", await done);

        var failed = Echo(Task.FromException(new InvalidTimeZoneException("broken")), "value");
        Assert.True(failed.IsFaulted);
        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidTimeZoneException>(async () => await failed)).Message);
    }

    [Fact]
    public async Task A_run_that_awaits_completes_with_its_result_failure_or_cancellation()
    {
        var (good, bad, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        var (one, two, three) = (Echo(good.Task, "one"), Echo(bad.Task, "two"), Echo(cancelled.Task, "three"));

        bad.SetException(new InvalidTimeZoneException("broken"));
        cancelled.SetCanceled();
        good.SetResult();

        Assert.Equal("one", await one);
        await Assert.ThrowsAsync<InvalidTimeZoneException>(async () => await two);
        await Assert.ThrowsAsync<TaskCanceledException>(async () => await three);
    }

    [Fact]
    public async Task A_result_can_be_read_only_once_even_when_another_run_reuses_the_state()
    {
        var first = new TaskCompletionSource();
        var taken = Echo(first.Task, "first");
        first.SetResult();
        Assert.Equal("first", await taken);

        var next = new TaskCompletionSource();
        var other = Echo(next.Task, "second");
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await taken);
        next.SetResult();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await taken);

        Assert.Equal("second", await other);
    }

    [Fact]
    public async Task Concurrent_runs_keep_their_own_state()
    {
        for (var round = 0; round < 5; round++)
        {
            // There are more runs than pooled state objects.
            var gates = Enumerable.Range(0, 2000).Select(_ => new TaskCompletionSource()).ToArray();
            var runs = gates.Select((gate, i) => Nested(gate.Task, i).AsTask()).ToArray();

            Parallel.ForEach(gates, gate => gate.SetResult());

            Assert.Equal(Enumerable.Range(0, gates.Length).Select(i => $"{i}:{i}"), await Task.WhenAll(runs));
        }
    }

    [Fact]
    public async Task A_run_keeps_the_ambient_values_of_its_start_and_does_not_change_its_callers()
    {
        var gate = new TaskCompletionSource();
        Ambient.Value = "caller";

        var run = Changes(gate.Task);
        Assert.Equal("caller", Ambient.Value);
        Ambient.Value = "another";
        gate.SetResult();

        Assert.Equal("caller, own", await run);
        Assert.Equal("another", Ambient.Value);
    }

    [Fact]
    public async Task A_run_releases_its_references_once_its_result_is_read()
    {
        var kept = await RunAndForget();

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(kept.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> RunAndForget()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = new byte[100];
        var run = Holding(gate.Task, held);
        gate.SetResult();
        Assert.Equal(100, await run);
        return new WeakReference(held);
    }

    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    private static async ValueTask<int> Holding(Task gate, byte[] held)
    {
        await gate;
        return held.Length;
    }

    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    private static async ValueTask<string> Echo(Task gate, string value)
    {
        await gate;
        return value;
    }

    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    private static async ValueTask<string> Nested(Task gate, int number)
    {
        var text = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var inner = await Echo(gate, text);
        await Task.Yield();
        return $"{inner}:{number}";
    }

    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    private static async ValueTask<string> Changes(Task gate)
    {
        var before = Ambient.Value;
        Ambient.Value = "own";
        await gate.ConfigureAwait(false);
        return $"{before}, {Ambient.Value}";
    }
}
