using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>
/// Counts the events that later reads must see: every invalidation, and every write of each caller. A read captures the counts before it
/// starts. A later read joins it only while they are unchanged, because otherwise it could get outdated data.
/// </summary>
/// <remarks>Callers share a fixed number of counters by hash: memory is bounded, and a collision costs no more than a separate
/// call.</remarks>
internal sealed class ReadGenerations
{
    private const int Counters = 1 << 12;
    private readonly int[] _writes = new int[Counters];
    private int _invalidations;

    /// <summary>Returns the current counts.</summary>
    public ReadStamp Capture(Caller caller)
    {
        var counter = CounterOf(caller);
        return new(Volatile.Read(ref _invalidations), counter, Volatile.Read(ref _writes[counter]));
    }

    /// <summary>Whether there has been neither an invalidation nor a write of the caller since.</summary>
    public bool IsCurrent(in ReadStamp stamp) => stamp.Invalidations == Volatile.Read(ref _invalidations) && SeesWrites(stamp);

    /// <summary>Whether there has been no write of the caller since.</summary>
    public bool SeesWrites(in ReadStamp stamp) => stamp.Writes == Volatile.Read(ref _writes[stamp.Counter]);

    /// <summary>
    /// Counts an invalidation of any tag, because a read does not know the tags of its fragment. Call it before the fragments are
    /// invalidated.
    /// </summary>
    public void Invalidated() => Interlocked.Increment(ref _invalidations);

    /// <summary>Counts a write of the caller that has ended, with whatever answer, because it may have been applied.</summary>
    public void Wrote(Caller caller) => Interlocked.Increment(ref _writes[CounterOf(caller)]);

    private static int CounterOf(Caller caller) => HashCode.Combine(caller.Tenant, caller.Subject) & (Counters - 1);
}

/// <summary>The counts at the start of a read.</summary>
internal readonly record struct ReadStamp(int Invalidations, int Counter, int Writes);
