using System.Diagnostics.CodeAnalysis;
using Bff.Tenancy;

namespace Bff.Admission;

/// <summary>The few that wait: highest priority first, within one in order of arrival. Not thread-safe; its gate locks it.</summary>
internal sealed class AdmissionQueue(int capacity)
{
    private readonly LinkedList<AdmissionWaiter>[] _lines = [new(), new(), new()];

    public int Count { get; private set; }

    /// <summary>
    /// False when the queue is full of requests that are at least as important. Otherwise the new request waits. In a full queue it
    /// displaces the latest request of the lowest priority, which is <paramref name="displaced"/>.
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

    /// <summary>False when it has left already.</summary>
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

/// <summary>One that waits.</summary>
internal sealed class AdmissionWaiter(TenantPriority priority)
    : TaskCompletionSource<AdmissionOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public TenantPriority Priority { get; } = priority;

    /// <summary>Where it stands; null when it does not wait (any more).</summary>
    public LinkedListNode<AdmissionWaiter>? Place { get; set; }
}

/// <summary>What becomes of a request.</summary>
internal enum AdmissionOutcome
{
    /// <summary>It has a slot, and gives it back.</summary>
    Admitted,

    /// <summary>No room to wait.</summary>
    QueueFull,

    /// <summary>It made room for a more important request.</summary>
    Displaced,

    /// <summary>It waited as long as a request may.</summary>
    WaitedTooLong,

    /// <summary>Its client has gone.</summary>
    Gone,
}
