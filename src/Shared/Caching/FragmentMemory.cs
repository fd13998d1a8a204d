using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Bff.Caching;

/// <summary>
/// The fragments of this process, limited by bytes. A hit takes no lock. When memory runs out, the clock hand visits the fragments in order
/// of arrival. It gives those used since its last visit a second chance and drops the others (CLOCK, F. J. Corbató, 1968).
/// </summary>
/// <param name="maxBytes">Estimated maximum size of all fragments in bytes.</param>
internal sealed class FragmentMemory(long maxBytes)
{
    private const int Overhead = 320; // Dictionary node, slot, entry, array and object headers.
    private readonly ConcurrentDictionary<FragmentKey, Slot> _slots = new(FragmentKeyComparer.Instance);
    private readonly Queue<Slot> _hand = new();
    private readonly Lock _lock = new();
    private long _bytes;

    /// <summary>Estimated size in bytes.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public FragmentEntry<T>? Find<T>(in FragmentKey key)
    {
        if (!_slots.TryGetValue(key, out var slot))
        {
            return null;
        }

        if (!slot.Used)
        {
            slot.Used = true; // Written once per visit of the hand, so that hits do not contend for the cache line.
        }

        return Unsafe.As<FragmentEntry<T>>(slot.Entry); // The key's type is T.
    }

    public void Keep<T>(in FragmentKey key, FragmentEntry<T> entry)
    {
        // The object is about as large as its JSON in UTF-16.
        var bytes = Overhead + entry.Json.Length * 3L + 2L * (key.Key.Length + (key.Subject?.Length ?? 0) + (key.Tenant?.Length ?? 0));
        lock (_lock)
        {
            if (_slots.TryGetValue(key, out var slot))
            {
                _bytes += bytes - slot.Bytes;
                slot.Entry = entry;
                slot.Bytes = bytes;
            }
            else if (bytes > maxBytes / 8)
            {
                return; // It would evict too many others.
            }
            else
            {
                slot = new Slot(key, entry) { Bytes = bytes };
                _slots[key] = slot;
                _hand.Enqueue(slot);
                _bytes += bytes;
            }

            MakeRoom();
        }
    }

    public void Remove(in FragmentKey key)
    {
        lock (_lock)
        {
            if (_slots.TryRemove(key, out var slot))
            {
                _bytes -= slot.Bytes;
                slot.Bytes = 0; // The hand has yet to visit it.
                slot.Used = false;
            }
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _slots.Clear();
            _hand.Clear();
            _bytes = 0;
        }
    }

    private void MakeRoom()
    {
        while (_bytes > maxBytes && _hand.TryDequeue(out var slot))
        {
            if (slot.Used)
            {
                slot.Used = false;
                _hand.Enqueue(slot);
                continue;
            }

            _slots.TryRemove(KeyValuePair.Create(slot.Key, slot));
            _bytes -= slot.Bytes;
        }
    }

    private sealed class Slot(FragmentKey key, object entry)
    {
        public FragmentKey Key { get; } = key;

        public volatile object Entry = entry;

        public volatile bool Used;

        public long Bytes { get; set; }
    }
}

/// <summary>A kept answer.</summary>
/// <param name="value">The value, which requests share.</param>
/// <param name="json">The value as JSON in UTF-8.</param>
/// <param name="since">Timestamp at which the upstream was asked.</param>
/// <param name="stamp">The tags' counts at that time.</param>
/// <param name="validators">The service's validators.</param>
internal sealed class FragmentEntry<T>(T value, ReadOnlyMemory<byte> json, long since, TagStamp stamp, KeptValidators validators = default)
{
    private long _refreshNotBefore = long.MinValue;

    public T Value { get; } = value;

    public ReadOnlyMemory<byte> Json { get; } = json;

    public long Since { get; } = since;

    public TagStamp Stamp { get; } = stamp;

    public KeptValidators Validators { get; } = validators;

    /// <summary>Timestamp before which the upstream is not asked again after a failed refresh.</summary>
    public long RefreshNotBefore
    {
        get => Volatile.Read(ref _refreshNotBefore);
        set => Volatile.Write(ref _refreshNotBefore, value);
    }
}
