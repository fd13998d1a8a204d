using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Bff.Callers.ApiKeys;

/// <summary>
/// Verified keys of this process within a bound. Found by a hash under a seed that nobody knows and then compared in constant time, so that
/// the time of an answer says nothing about another key. A hit takes no lock and allocates nothing. Two generations: what nobody asked for
/// while the young one filled up goes.
/// </summary>
/// <param name="maxEntries">Of both generations together.</param>
internal sealed class ApiKeyMemory(int maxEntries)
{
    private readonly Lock _turn = new();
    private ConcurrentDictionary<ulong, RememberedKey> _young = new();
    private ConcurrentDictionary<ulong, RememberedKey> _old = new();
    private int _count;

    /// <summary>Entries of the young generation and of the old one.</summary>
    public int Count => Volatile.Read(ref _young).Count + Volatile.Read(ref _old).Count;

    /// <summary>Every entry of a key that is one; some may come twice.</summary>
    public IEnumerable<RememberedKey> All() =>
        Volatile.Read(ref _young).Concat(Volatile.Read(ref _old)).Select(static e => e.Value).Where(static k => k.Record is not null);

    /// <summary>What is known of the key; null when nothing is.</summary>
    public RememberedKey? Find(ReadOnlySpan<char> key)
    {
        var index = IndexOf(key);
        if (Volatile.Read(ref _young).TryGetValue(index, out var known))
        {
            return IsSame(key, known.Key) ? known : null;
        }

        var old = Volatile.Read(ref _old);
        if (!old.TryGetValue(index, out known) || !IsSame(key, known.Key))
        {
            return null;
        }

        Set(known);
        if (ReferenceEquals(old, Volatile.Read(ref _old)) && old.ContainsKey(index))
        {
            return known;
        }

        Drop(known); // Forgotten on its way: it must not come back.
        return null;
    }

    /// <summary>Remembers, in place of what was known.</summary>
    public void Set(RememberedKey known)
    {
        var young = Volatile.Read(ref _young);
        var index = IndexOf(known.Key);
        if (!young.TryAdd(index, known))
        {
            young[index] = known;
        }
        else if (Interlocked.Increment(ref _count) > maxEntries / 2)
        {
            Turn(young);
        }
    }

    /// <summary>Forgets the key of this id. Rare, so it may look at every entry; the old ones first, as they go from there to the young.</summary>
    public void Forget(string keyId)
    {
        lock (_turn)
        {
            foreach (var generation in (ConcurrentDictionary<ulong, RememberedKey>[])[_old, _young])
            {
                foreach (var entry in generation)
                {
                    if (entry.Value.Record?.Id == keyId)
                    {
                        generation.TryRemove(entry);
                    }
                }
            }
        }
    }

    /// <summary>Forgets what has just been set, unless something else has taken its place.</summary>
    public void Drop(RememberedKey known)
    {
        var entry = KeyValuePair.Create(IndexOf(known.Key), known);
        Volatile.Read(ref _young).TryRemove(entry);
        Volatile.Read(ref _old).TryRemove(entry);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        lock (_turn)
        {
            Volatile.Write(ref _old, new());
            Volatile.Write(ref _young, new());
            Volatile.Write(ref _count, 0);
        }
    }

    internal static bool IsSame(ReadOnlySpan<char> key, ReadOnlySpan<char> other) =>
        CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(key), MemoryMarshal.AsBytes(other));

    // Marvin under this process's random seed, over both halves.
    private static ulong IndexOf(ReadOnlySpan<char> key) =>
        ((ulong)(uint)string.GetHashCode(key[..(key.Length / 2)]) << 32) | (uint)string.GetHashCode(key[(key.Length / 2)..]);

    private void Turn(ConcurrentDictionary<ulong, RememberedKey> full)
    {
        lock (_turn)
        {
            if (ReferenceEquals(full, _young))
            {
                Volatile.Write(ref _old, full);
                Volatile.Write(ref _young, new());
                Volatile.Write(ref _count, 0);
            }
        }
    }
}

/// <summary>What is known of one key; <see cref="Record"/> is null when it is known to be none.</summary>
internal sealed class RememberedKey(string key, ApiKeyRecord? record, CallerResult result, long confirmedAt, int epoch)
{
    private long _lastUsed;
    private int _refreshing;
    private int _queued;

    public string Key { get; } = key;

    public ApiKeyRecord? Record { get; } = record;

    public CallerResult Result { get; } = result;

    /// <summary><see cref="TimeProvider.GetTimestamp"/> when the store last said so.</summary>
    public long ConfirmedAt { get; } = confirmedAt;

    /// <summary>In which stretch without missed changes it was confirmed; one that began later asks again.</summary>
    public int Epoch { get; } = epoch;

    public DateTimeOffset LastUsed => new(Volatile.Read(ref _lastUsed), TimeSpan.Zero);

    /// <summary>True for the one caller that is to ask the store again.</summary>
    public bool TryBeginRefresh() => Interlocked.CompareExchange(ref _refreshing, 1, 0) == 0;

    public void EndRefresh() => Volatile.Write(ref _refreshing, 0);

    /// <summary>Notes a use; true when it has to be queued for writing.</summary>
    public bool Use(DateTimeOffset now)
    {
        Volatile.Write(ref _lastUsed, now.UtcTicks);
        return Volatile.Read(ref _queued) == 0 && Interlocked.Exchange(ref _queued, 1) == 0;
    }

    public void Dequeued() => Volatile.Write(ref _queued, 0);
}
