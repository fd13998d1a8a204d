using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Bff.Requests;
using Bff.Tenancy;

namespace Bff.Admission;

/// <summary>
/// Limits concurrent requests and queues those above the limit. While the queue is empty, entering and leaving take one interlocked
/// operation each. The lock protects the queue.
/// </summary>
/// <param name="limit">The limit of concurrent requests.</param>
/// <param name="maxQueue">Maximum number of waiting requests.</param>
/// <param name="maxWait">Maximum time that a request waits.</param>
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

    /// <summary>Takes a slot or waits for one. Returns the reason when there is none.</summary>
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

            // The count is written before the slots are checked again, and Leave returns its slot before it reads the count. So one of the
            // two sees the other.
            Interlocked.Exchange(ref _waiting, _queue.Count);
            Pump();
        }

        displaced?.TrySetResult(AdmissionOutcome.Displaced);
        return waiter.Task.IsCompleted ? new(waiter.Task) : new(Wait(waiter, cancellation));
    }

    /// <summary>Returns the slot.</summary>
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
                return; // It has been admitted or displaced in the meantime.
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

/// <summary>How a request competes for slots.</summary>
/// <param name="Priority">The priority under overload.</param>
/// <param name="Tenant">The request's tenant, where <paramref name="TenantMaxConcurrency"/> is set.</param>
/// <param name="TenantMaxConcurrency">Maximum number of the tenant's requests in flight in this instance; null for no limit of its
/// own.</param>
public readonly record struct AdmissionClass(TenantPriority Priority, string? Tenant = null, int? TenantMaxConcurrency = null);

/// <summary>Determines how a request competes. Must return at once, without allocating.</summary>
public delegate AdmissionClass AdmissionClassifier(BffRequest request);

/// <summary>
/// Counts the requests in flight of each tenant that has its own ceiling. At the ceiling the tenant's requests are refused and take no slot
/// of the host.
/// </summary>
internal sealed class TenantSlots
{
    private readonly ConcurrentDictionary<string, StrongBox<int>> _inFlight = new(StringComparer.Ordinal);

    /// <summary>Returns the tenant's count, to be passed to <see cref="Leave"/>; null when the tenant is at its ceiling.</summary>
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
