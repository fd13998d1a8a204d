using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>
/// Counts what later reads must see: every invalidation, and every write of each caller. A read notes the counts before it sets out; a
/// later one joins it only while they are unchanged, because it would else be given what was true before.
/// </summary>
/// <remarks>Callers share a fixed number of counters by hash: memory is bounded, and a collision merely costs a call of its own.</remarks>
internal sealed class ReadGenerations
{
    private const int Counters = 1 << 12;
    private readonly int[] _writes = new int[Counters];
    private int _invalidations;

    /// <summary>What the counts are now.</summary>
    public ReadStamp Capture(Caller caller)
    {
        var counter = CounterOf(caller);
        return new(Volatile.Read(ref _invalidations), counter, Volatile.Read(ref _writes[counter]));
    }

    /// <summary>Whether there has been neither an invalidation nor a write of the caller since.</summary>
    public bool IsCurrent(in ReadStamp stamp) => stamp.Invalidations == Volatile.Read(ref _invalidations) && SeesWrites(stamp);

    /// <summary>Whether the caller has written nothing since.</summary>
    public bool SeesWrites(in ReadStamp stamp) => stamp.Writes == Volatile.Read(ref _writes[stamp.Counter]);

    /// <summary>
    /// Of whatever: a read does not know the tags of the fragment that it is made for. Called before the fragments are told.
    /// </summary>
    public void Invalidated() => Interlocked.Increment(ref _invalidations);

    /// <summary>The caller's write has ended, with whatever answer: it may have been applied.</summary>
    public void Wrote(Caller caller) => Interlocked.Increment(ref _writes[CounterOf(caller)]);

    private static int CounterOf(Caller caller) => HashCode.Combine(caller.Tenant, caller.Subject) & (Counters - 1);
}

/// <summary>The counts when a read set out.</summary>
internal readonly record struct ReadStamp(int Invalidations, int Counter, int Writes);
