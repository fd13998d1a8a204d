using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Bff.Concurrency;

namespace Bff.Callers.ApiKeys;

/// <summary>
/// A bounded in-process cache of verified keys. Keys are found by a hash under a secret seed and then compared in constant time, so that
/// the response time reveals nothing about other keys. A hit takes no lock and allocates nothing.
/// </summary>
/// <param name="maxEntries">The maximum number of entries.</param>
internal sealed class ApiKeyMemory(int maxEntries)
{
    private readonly Remembered<ulong, RememberedKey> _known = new(maxEntries);

    /// <summary>Number of entries; a key may have two.</summary>
    public int Count => _known.Count;

    /// <summary>Returns all entries that are valid keys; a key may appear twice.</summary>
    public IEnumerable<RememberedKey> All() => _known.All().Where(static k => k.Record is not null);

    /// <summary>Returns what is known of the key; null when nothing is known.</summary>
    public RememberedKey? Find(ReadOnlySpan<char> key) => _known.Find(IndexOf(key)) is { } known && IsSame(key, known.Key) ? known : null;

    /// <summary>Remembers the key and replaces its earlier entry.</summary>
    public void Set(RememberedKey known) => _known.Set(IndexOf(known.Key), known);

    /// <summary>Forgets the key with this id.</summary>
    public void Forget(string keyId) => _known.DropAll(known => known.Record?.Id == keyId);

    /// <summary>Removes an entry that has just been set, unless another entry has replaced it.</summary>
    public void Drop(RememberedKey known) => _known.Drop(IndexOf(known.Key), known);

    /// <summary>Forgets everything.</summary>
    public void Clear() => _known.Clear();

    internal static bool IsSame(ReadOnlySpan<char> key, ReadOnlySpan<char> other) =>
        CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(key), MemoryMarshal.AsBytes(other));

    // string.GetHashCode is Marvin with this process's random seed; each half of the key is hashed for 64 bits in total.
    private static ulong IndexOf(ReadOnlySpan<char> key) =>
        ((ulong)(uint)string.GetHashCode(key[..(key.Length / 2)]) << 32) | (uint)string.GetHashCode(key[(key.Length / 2)..]);
}

/// <summary>What is known of one key. <see cref="Record"/> is null when the text is known not to be a key.</summary>
internal sealed class RememberedKey(string key, ApiKeyRecord? record, CallerResult result, long confirmedAt, int epoch)
{
    private long _lastUsed;
    private int _refreshing;
    private int _queued;

    public string Key { get; } = key;

    public ApiKeyRecord? Record { get; } = record;

    public CallerResult Result { get; } = result;

    /// <summary>The <see cref="TimeProvider.GetTimestamp"/> of the last confirmation by the store.</summary>
    public long ConfirmedAt { get; } = confirmedAt;

    /// <summary>
    /// The epoch in which the key was confirmed. A new epoch begins when changes may have been missed; the key is then confirmed again.
    /// </summary>
    public int Epoch { get; } = epoch;

    public DateTimeOffset LastUsed => new(Volatile.Read(ref _lastUsed), TimeSpan.Zero);

    /// <summary>Returns true to the one caller that must ask the store again.</summary>
    public bool TryBeginRefresh() => Interlocked.CompareExchange(ref _refreshing, 1, 0) == 0;

    public void EndRefresh() => Volatile.Write(ref _refreshing, 0);

    /// <summary>Records a use. Returns true when the use has to be queued for writing.</summary>
    public bool Use(DateTimeOffset now)
    {
        Volatile.Write(ref _lastUsed, now.UtcTicks);
        return Volatile.Read(ref _queued) == 0 && Interlocked.Exchange(ref _queued, 1) == 0;
    }

    public void Dequeued() => Volatile.Write(ref _queued, 0);
}
