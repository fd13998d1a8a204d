using System.Collections.Concurrent;

namespace Bff.Concurrency;

/// <summary>
/// A bounded in-process cache. A hit takes no lock and allocates nothing. It has two generations: entries that are not used while the young
/// one fills up are dropped.
/// </summary>
/// <param name="maxEntries">Maximum number of entries in both generations together.</param>
internal sealed class Remembered<TKey, T>(int maxEntries)
    where TKey : notnull
    where T : class
{
    private readonly Lock _lock = new();
    private ConcurrentDictionary<TKey, T> _young = new();
    private ConcurrentDictionary<TKey, T> _old = new();
    private int _count;

    /// <summary>Number of entries in both generations; an entry may be in both.</summary>
    public int Count => Volatile.Read(ref _young).Count + Volatile.Read(ref _old).Count;

    /// <summary>Returns all entries; an entry may appear twice.</summary>
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

        Drop(key, known); // It was removed in the meantime, so it must not come back.
        return null;
    }

    /// <summary>Adds or replaces an entry.</summary>
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

    /// <summary>Removes an entry that has just been set, unless another entry has replaced it.</summary>
    public void Drop(TKey key, T known)
    {
        var entry = KeyValuePair.Create(key, known);
        Volatile.Read(ref _young).TryRemove(entry);
        Volatile.Read(ref _old).TryRemove(entry);
    }

    /// <summary>
    /// Removes matching entries. This is rare, so it visits every entry. It visits the old generation first, because entries move from
    /// there to the young one.
    /// </summary>
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

    /// <summary>Removes all entries.</summary>
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
