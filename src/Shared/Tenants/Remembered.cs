using System.Collections.Concurrent;

namespace Bff.Tenants;

/// <summary>
/// What this process knows by name, within a bound. A hit takes no lock and allocates nothing. Two generations: what nobody asked for while the young one filled
/// up goes.
/// </summary>
/// <param name="maxEntries">Of both generations together.</param>
internal sealed class Remembered<T>(int maxEntries) where T : class
{
    private readonly Lock _turn = new();
    private ConcurrentDictionary<string, T> _young = new(StringComparer.Ordinal);
    private ConcurrentDictionary<string, T> _old = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>Of both generations; some may be in both.</summary>
    public int Count => Volatile.Read(ref _young).Count + Volatile.Read(ref _old).Count;

    public T? Find(string name)
    {
        if (Volatile.Read(ref _young).TryGetValue(name, out var known))
        {
            return known;
        }

        var old = Volatile.Read(ref _old);
        if (!old.TryGetValue(name, out known))
        {
            return null;
        }

        Set(name, known);
        if (old.ContainsKey(name))
        {
            return known;
        }

        Drop(name, known); // Dropped on its way: it must not come back.
        return null;
    }

    /// <summary>Remembers, in place of what was known.</summary>
    public void Set(string name, T known)
    {
        var young = Volatile.Read(ref _young);
        if (!young.TryAdd(name, known))
        {
            young[name] = known;
        }
        else if (Interlocked.Increment(ref _count) > maxEntries / 2)
        {
            lock (_turn)
            {
                if (ReferenceEquals(young, _young))
                {
                    Volatile.Write(ref _old, young);
                    Volatile.Write(ref _young, new(StringComparer.Ordinal));
                    Volatile.Write(ref _count, 0);
                }
            }
        }
    }

    /// <summary>Forgets what has just been set, unless something else has taken its place.</summary>
    public void Drop(string name, T known)
    {
        Volatile.Read(ref _young).TryRemove(KeyValuePair.Create(name, known));
        Volatile.Read(ref _old).TryRemove(KeyValuePair.Create(name, known));
    }
}
