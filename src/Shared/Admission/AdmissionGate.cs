using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Bff.Requests;
using Bff.Tenancy;

namespace Bff.Admission;

/// <summary>
/// Counts the requests in flight. While the queue is empty, coming and going are one interlocked operation each; the lock belongs to the queue.
/// </summary>
/// <param name="limit">How many at once.</param>
/// <param name="maxQueue">How many may wait.</param>
/// <param name="maxWait">How long.</param>
/// <param name="time">The clock.</param>
internal sealed class AdmissionGate(AdaptiveLimit limit, int maxQueue, TimeSpan maxWait, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly AdmissionQueue _queue = new(maxQueue);
    private int _inFlight;
    private int _waiting;

    public int InFlight => Volatile.Read(ref _inFlight);

    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Takes a slot if one is free and the queue is empty.</summary>
    public bool TryEnter() => Volatile.Read(ref _waiting) == 0 && TryTakeSlot();

    /// <summary>Takes a slot, or waits for one, or says why there is none.</summary>
    public ValueTask<AdmissionOutcome> Enter(TenantPriority priority, CancellationToken cancellation)
    {
        if (TryEnter())
        {
            return new(AdmissionOutcome.Admitted);
        }

        var waiter = new AdmissionWaiter(priority);
        AdmissionWaiter? displaced;
        lock (_lock)
        {
            if (!_queue.TryAdd(waiter, out displaced))
            {
                return new(TryTakeSlotIfQueueIsEmpty() ? AdmissionOutcome.Admitted : AdmissionOutcome.QueueFull);
            }

            // Written before the slots are looked at again; who leaves gives its slot back before it looks here. One of the two sees the
            // other.
            Interlocked.Exchange(ref _waiting, _queue.Count);
            Pump();
        }

        displaced?.TrySetResult(AdmissionOutcome.Displaced);
        return waiter.Task.IsCompleted ? new(waiter.Task) : new(Wait(waiter, cancellation));
    }

    /// <summary>Gives the slot back.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref _inFlight);
        if (Volatile.Read(ref _waiting) > 0)
        {
            lock (_lock)
            {
                Pump();
            }
        }
    }

    private async Task<AdmissionOutcome> Wait(AdmissionWaiter waiter, CancellationToken cancellation)
    {
        await using var end = cancellation.UnsafeRegister(_ => Dismiss(waiter, AdmissionOutcome.Gone), null);
        await using var timer = time.CreateTimer(
            _ => Dismiss(waiter, AdmissionOutcome.WaitedTooLong),
            null,
            maxWait,
            Timeout.InfiniteTimeSpan
        );
        return await waiter.Task;
    }

    private void Dismiss(AdmissionWaiter waiter, AdmissionOutcome outcome)
    {
        lock (_lock)
        {
            if (!_queue.Remove(waiter))
            {
                return; // It has been admitted, or displaced, meanwhile.
            }

            Volatile.Write(ref _waiting, _queue.Count);
        }

        waiter.TrySetResult(outcome);
    }

    private void Pump()
    {
        while (_queue.Count > 0 && TryTakeSlot())
        {
            if (!_queue.TryTake(out var next))
            {
                break;
            }

            Interlocked.Exchange(ref _waiting, _queue.Count);
            next.TrySetResult(AdmissionOutcome.Admitted);
        }
    }

    private bool TryTakeSlotIfQueueIsEmpty() => _queue.Count == 0 && TryTakeSlot();

    private bool TryTakeSlot()
    {
        var inFlight = Volatile.Read(ref _inFlight);
        while (inFlight < limit.Current)
        {
            var seen = Interlocked.CompareExchange(ref _inFlight, inFlight + 1, inFlight);
            if (seen == inFlight)
            {
                return true;
            }

            inFlight = seen;
        }

        return false;
    }
}

/// <summary>How a request competes.</summary>
/// <param name="Priority">Under overload.</param>
/// <param name="Tenant">Whose it is, where <paramref name="TenantMaxConcurrency"/> is set.</param>
/// <param name="TenantMaxConcurrency">Requests that the tenant may have in flight in this instance; null: no limit of its own.</param>
public readonly record struct AdmissionClass(TenantPriority Priority, string? Tenant = null, int? TenantMaxConcurrency = null);

/// <summary>Says how a request competes; answers at once, without allocating.</summary>
public delegate AdmissionClass AdmissionClassifier(BffRequest request);

/// <summary>
/// Counts the requests in flight of each tenant that has a ceiling of its own. At the ceiling the tenant's requests are refused, and take
/// no place of the host.
/// </summary>
internal sealed class TenantSlots
{
    private readonly ConcurrentDictionary<string, StrongBox<int>> _inFlight = new(StringComparer.Ordinal);

    /// <summary>Null when the tenant is at its ceiling; otherwise its count, to be given back.</summary>
    public StrongBox<int>? TryEnter(string tenant, int ceiling)
    {
        var count = _inFlight.GetOrAdd(tenant, static _ => new StrongBox<int>());
        if (Interlocked.Increment(ref count.Value) <= ceiling)
        {
            return count;
        }

        Leave(count);
        return null;
    }

    public static void Leave(StrongBox<int> count) => Interlocked.Decrement(ref count.Value);
}
