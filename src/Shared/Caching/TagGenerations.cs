namespace Bff.Caching;

/// <summary>
/// Counts the invalidations of each tag. A read notes the counts before it asks the upstream, and its result is valid only while they are
/// unchanged. So an invalidation also affects reads in flight, and a tag's fragments need not be found.
/// </summary>
/// <remarks>Tags share a fixed number of counters by hash. Memory is bounded, and a collision only drops a fragment too many.</remarks>
internal sealed class TagGenerations
{
    private const int Counters = 1 << 16;
    private readonly int[] _counts = new int[Counters];
    private int _epoch;

    /// <summary>Returns the current counts.</summary>
    public TagStamp Capture(IReadOnlyList<string> tags)
    {
        var stamp = new TagStamp(Volatile.Read(ref _epoch), tags.Count == 0 ? [] : new (int, int)[tags.Count]);
        for (var i = 0; i < tags.Count; i++)
        {
            var counter = CounterOf(tags[i]);
            stamp.Counts[i] = (counter, Volatile.Read(ref _counts[counter]));
        }

        return stamp;
    }

    /// <summary>Whether nothing has been invalidated since.</summary>
    public bool AreCurrent(in TagStamp stamp)
    {
        if (stamp.Epoch != Volatile.Read(ref _epoch))
        {
            return false;
        }

        foreach (var (counter, count) in stamp.Counts)
        {
            if (Volatile.Read(ref _counts[counter]) != count)
            {
                return false;
            }
        }

        return true;
    }

    public void Invalidate(IEnumerable<string> tags)
    {
        foreach (var tag in tags)
        {
            Interlocked.Increment(ref _counts[CounterOf(tag)]);
        }
    }

    /// <summary>Invalidates everything, because invalidations may have been missed.</summary>
    public void InvalidateAll() => Interlocked.Increment(ref _epoch);

    private static int CounterOf(string tag) => string.GetHashCode(tag) & (Counters - 1);
}

/// <summary>The counts of a fragment's tags when the fragment was requested.</summary>
internal readonly record struct TagStamp(int Epoch, (int Counter, int Count)[] Counts);
