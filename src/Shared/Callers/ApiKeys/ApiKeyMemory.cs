using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Bff.Concurrency;

namespace Bff.Callers.ApiKeys;

/// <summary>
/// Verified keys of this process within a bound. Found by a hash under a secret seed and then compared in constant time, so that
/// the time of an answer says nothing about another key. A hit takes no lock and allocates nothing.
/// </summary>
/// <param name="maxEntries">At most so many.</param>
internal sealed class ApiKeyMemory(int maxEntries)
{
    private readonly Remembered<ulong, RememberedKey> _known = new(maxEntries);

    /// <summary>Entries; some keys may have two.</summary>
    public int Count => _known.Count;

    /// <summary>Every entry of a key that is one; some may come twice.</summary>
    public IEnumerable<RememberedKey> All() => _known.All().Where(static k => k.Record is not null);

    /// <summary>What is known of the key; null when nothing is.</summary>
    public RememberedKey? Find(ReadOnlySpan<char> key) => _known.Find(IndexOf(key)) is { } known && IsSame(key, known.Key) ? known : null;

    /// <summary>Remembers, in place of what was known.</summary>
    public void Set(RememberedKey known) => _known.Set(IndexOf(known.Key), known);

    /// <summary>Forgets the key of this id.</summary>
    public void Forget(string keyId) => _known.DropAll(known => known.Record?.Id == keyId);

    /// <summary>Forgets what has just been set, unless something else has taken its place.</summary>
    public void Drop(RememberedKey known) => _known.Drop(IndexOf(known.Key), known);

    /// <summary>Forgets everything.</summary>
    public void Clear() => _known.Clear();

    internal static bool IsSame(ReadOnlySpan<char> key, ReadOnlySpan<char> other) =>
        CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(key), MemoryMarshal.AsBytes(other));

    // Marvin under this process's random seed, over both halves.
    private static ulong IndexOf(ReadOnlySpan<char> key) =>
        ((ulong)(uint)string.GetHashCode(key[..(key.Length / 2)]) << 32) | (uint)string.GetHashCode(key[(key.Length / 2)..]);
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
