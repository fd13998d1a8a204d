using System.Collections.Concurrent;

namespace Bff.Concurrency;

/// <summary>
/// What this process knows, within a bound. A hit takes no lock and allocates nothing. Two generations: what was not asked for while the
/// young one filled up goes.
/// </summary>
/// <param name="maxEntries">Of both generations together.</param>
internal sealed class Remembered<TKey, T>(int maxEntries)
    where TKey : notnull
    where T : class
{
    private readonly Lock _lock = new();
    private ConcurrentDictionary<TKey, T> _young = new();
    private ConcurrentDictionary<TKey, T> _old = new();
    private int _count;

    /// <summary>Of both generations; some may be in both.</summary>
    public int Count => Volatile.Read(ref _young).Count + Volatile.Read(ref _old).Count;

    /// <summary>Every entry; some may come twice.</summary>
    public IEnumerable<T> All() => Volatile.Read(ref _young).Concat(Volatile.Read(ref _old)).Select(static e => e.Value);

    public T? Find(TKey key)
    {
        if (Volatile.Read(ref _young).TryGetValue(key, out var known))
        {
            return known;
        }

        var old = Volatile.Read(ref _old);
        if (!old.TryGetValue(key, out known))
        {
            return null;
        }

        Set(key, known);
        if (ReferenceEquals(old, Volatile.Read(ref _old)) && old.ContainsKey(key))
        {
            return known;
        }

        Drop(key, known); // Forgotten on its way: it must not come back.
        return null;
    }

    /// <summary>Remembers, in place of what was known.</summary>
    public void Set(TKey key, T known)
    {
        var young = Volatile.Read(ref _young);
        if (!young.TryAdd(key, known))
        {
            young[key] = known;
        }
        else if (Interlocked.Increment(ref _count) > maxEntries / 2)
        {
            lock (_lock)
            {
                if (ReferenceEquals(young, _young))
                {
                    Volatile.Write(ref _old, young);
                    Volatile.Write(ref _young, new());
                    Volatile.Write(ref _count, 0);
                }
            }
        }
    }

    /// <summary>Forgets what has just been set, unless something else has taken its place.</summary>
    public void Drop(TKey key, T known)
    {
        var entry = KeyValuePair.Create(key, known);
        Volatile.Read(ref _young).TryRemove(entry);
        Volatile.Read(ref _old).TryRemove(entry);
    }

    /// <summary>Forgets some. Rare, so it looks at every entry; the old ones first, as they go from there to the young.</summary>
    public void DropAll(Predicate<T> which)
    {
        lock (_lock)
        {
            foreach (var generation in (ConcurrentDictionary<TKey, T>[])[_old, _young])
            {
                foreach (var entry in generation)
                {
                    if (which(entry.Value))
                    {
                        generation.TryRemove(entry);
                    }
                }
            }
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            Volatile.Write(ref _old, new());
            Volatile.Write(ref _young, new());
            Volatile.Write(ref _count, 0);
        }
    }
}
