using System.Diagnostics.CodeAnalysis;
using Bff.Tenancy;

namespace Bff.Admission;

/// <summary>The waiting requests, highest priority first, then in order of arrival. Not thread-safe; its gate locks it.</summary>
internal sealed class AdmissionQueue(int capacity)
{
    private readonly LinkedList<AdmissionWaiter>[] _lines = [new(), new(), new()];

    public int Count { get; private set; }

    /// <summary>
    /// Adds a waiting request. Returns false when the queue is full of requests that are at least as important. In a full queue the new
    /// request displaces the latest request of the lowest priority, which is <paramref name="displaced"/>.
    /// </summary>
    public bool TryAdd(AdmissionWaiter waiter, out AdmissionWaiter? displaced)
    {
        displaced = null;
        if (Count >= capacity)
        {
            var lowest = Array.FindIndex(_lines, static line => line.Count > 0);
            if (lowest < 0 || lowest >= (int)waiter.Priority)
            {
                return false;
            }

            displaced = _lines[lowest].Last!.Value;
            Remove(displaced);
        }

        waiter.Place = _lines[(int)waiter.Priority].AddLast(waiter);
        Count++;
        return true;
    }

    public bool TryTake([NotNullWhen(true)] out AdmissionWaiter? waiter)
    {
        for (var i = _lines.Length - 1; i >= 0; i--)
        {
            if (_lines[i].First is { } first)
            {
                waiter = first.Value;
                Remove(waiter);
                return true;
            }
        }

        waiter = null;
        return false;
    }

    /// <summary>Removes a waiting request. Returns false when it has already been removed.</summary>
    public bool Remove(AdmissionWaiter waiter)
    {
        if (waiter.Place is not { } place)
        {
            return false;
        }

        waiter.Place = null;
        _lines[(int)waiter.Priority].Remove(place);
        Count--;
        return true;
    }
}

/// <summary>One waiting request.</summary>
internal sealed class AdmissionWaiter(TenantPriority priority)
    : TaskCompletionSource<AdmissionOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public TenantPriority Priority { get; } = priority;

    /// <summary>The request's position in the queue; null when it does not wait, or no longer does.</summary>
    public LinkedListNode<AdmissionWaiter>? Place { get; set; }
}

/// <summary>The outcome of a request at the gate.</summary>
internal enum AdmissionOutcome
{
    /// <summary>It has a slot, which it must return.</summary>
    Admitted,

    /// <summary>The queue was full.</summary>
    QueueFull,

    /// <summary>A more important request took its place in the queue.</summary>
    Displaced,

    /// <summary>It waited for the maximum time.</summary>
    WaitedTooLong,

    /// <summary>Its client disconnected.</summary>
    Gone,
}
