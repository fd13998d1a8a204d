using Bff.Admission;
using Bff.Tenancy;
using Bff.TestKit;

namespace Bff.Shared.Tests.Admission;

public sealed class AdmissionGateTests
{
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task A_freed_slot_goes_to_the_oldest_waiting_request_of_the_highest_priority()
    {
        var gate = Gate(slots: 1, queue: 10);
        Assert.True(gate.TryEnter());
        var order = new List<string>();
        var low = Queue(gate, TenantPriority.Low, "low", order);
        var normal = Queue(gate, TenantPriority.Normal, "normal", order);
        var high = Queue(gate, TenantPriority.High, "high", order);
        var second = Queue(gate, TenantPriority.High, "second high", order);

        gate.Leave();
        await Task.WhenAll(low, normal, high, second).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(["high", "second high", "normal", "low"], order);
        Assert.Equal((0, 0), (gate.InFlight, gate.Waiting));
    }

    [Fact]
    public async Task A_full_queue_sheds_the_newest_request_of_the_lowest_priority_for_a_more_important_one()
    {
        var gate = Gate(slots: 1, queue: 2);
        Assert.True(gate.TryEnter());
        var earlyLow = gate.Enter(TenantPriority.Low, default).AsTask();
        var lateLow = gate.Enter(TenantPriority.Low, default).AsTask();

        Assert.Equal(AdmissionOutcome.QueueFull, await gate.Enter(TenantPriority.Low, default));
        var high = gate.Enter(TenantPriority.High, default).AsTask();

        Assert.Equal(AdmissionOutcome.Displaced, await lateLow);
        Assert.False(earlyLow.IsCompleted);
        gate.Leave();
        Assert.Equal(AdmissionOutcome.Admitted, await high);
        gate.Leave();
        Assert.Equal(AdmissionOutcome.Admitted, await earlyLow);
    }

    [Fact]
    public async Task A_request_waits_no_longer_than_the_maximum_wait()
    {
        var gate = Gate(slots: 1, queue: 2);
        Assert.True(gate.TryEnter());
        var waiting = gate.Enter(TenantPriority.High, default).AsTask();

        _clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(waiting.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(AdmissionOutcome.WaitedTooLong, await waiting);
        Assert.Equal(0, gate.Waiting);
        Assert.Equal(0, _clock.ActiveTimers);
    }

    [Fact]
    public async Task A_cancelled_request_leaves_the_queue()
    {
        var gate = Gate(slots: 1, queue: 1);
        Assert.True(gate.TryEnter());
        using var client = new CancellationTokenSource();
        var waiting = gate.Enter(TenantPriority.Normal, client.Token).AsTask();

        await client.CancelAsync();

        Assert.Equal(AdmissionOutcome.Gone, await waiting);
        var next = gate.Enter(TenantPriority.Normal, default).AsTask();
        gate.Leave();
        Assert.Equal(AdmissionOutcome.Admitted, await next);
    }

    [Fact]
    public async Task A_gate_without_a_queue_refuses_requests_when_its_slots_are_taken()
    {
        var gate = Gate(slots: 2, queue: 0);
        Assert.Equal(AdmissionOutcome.Admitted, await gate.Enter(TenantPriority.Low, default));
        Assert.Equal(AdmissionOutcome.Admitted, await gate.Enter(TenantPriority.Low, default));
        Assert.Equal(AdmissionOutcome.QueueFull, await gate.Enter(TenantPriority.High, default));
    }

    [Fact]
    public async Task Concurrent_requests_never_exceed_the_limit_and_lose_no_slot()
    {
        var gate = Gate(slots: 3, queue: 100_000);
        var inside = 0;
        var most = 0;
        await Task.WhenAll(
                Enumerable
                    .Range(0, 8)
                    .Select(_ =>
                        Task.Run(async () =>
                        {
                            for (var i = 0; i < 3000; i++)
                            {
                                Assert.Equal(AdmissionOutcome.Admitted, await gate.Enter((TenantPriority)(i % 3), default));
                                var now = Interlocked.Increment(ref inside);
                                if (now > Volatile.Read(ref most))
                                {
                                    Volatile.Write(ref most, now);
                                }

                                if (i % 7 == 0)
                                {
                                    await Task.Yield();
                                }

                                Interlocked.Decrement(ref inside);
                                gate.Leave();
                            }
                        })
                    )
            )
            .WaitAsync(TimeSpan.FromSeconds(60));

        Assert.InRange(most, 1, 3);
        Assert.Equal((0, 0), (gate.InFlight, gate.Waiting));
        Assert.True(gate.TryEnter() && gate.TryEnter() && gate.TryEnter() && !gate.TryEnter());
    }

    [Fact]
    public void Entering_and_leaving_allocates_nothing_while_the_queue_is_empty()
    {
        var gate = Gate(slots: 3, queue: 3);
        var rounds = new List<long>();
        while (rounds.Count < 20 && !rounds.Contains(0)) // The first rounds include allocations of the just-in-time compiler.
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
            {
                Assert.True(gate.TryEnter());
                gate.Leave();
            }

            rounds.Add(GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Contains(0, rounds);
    }

    private AdmissionGate Gate(int slots, int queue) => new(new AdaptiveLimit(slots, slots), queue, TimeSpan.FromSeconds(1), _clock);

    private static async Task Queue(AdmissionGate gate, TenantPriority priority, string name, List<string> order)
    {
        Assert.Equal(AdmissionOutcome.Admitted, await gate.Enter(priority, default));
        order.Add(name); // There is one slot, so only one request runs this at a time.
        gate.Leave();
    }
}
