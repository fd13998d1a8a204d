using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Bff.Callers.Bearer;

/// <summary>
/// A cache of what is known about tokens, with bounded memory. It has two generations, young and old. An entry that is added or used goes
/// to the young one. When the young one is full it becomes the old one, and entries of the previous old one that were not used in the
/// meantime are dropped. A hit takes no lock and allocates nothing.
/// </summary>
/// <param name="maxBytes">Approximate limit of the memory for the tokens.</param>
/// <param name="extraBytes">Approximate size of the data per token beyond the usual.</param>
internal sealed class TokenMemory<T>(long maxBytes, int extraBytes = 0)
    where T : class
{
    private const int OverheadBytes = 1024; // The entry's caller, claims and node, measured as 0.6 to 1 KiB.

    private readonly Lock _lock = new();
    private Generation _young = new();
    private Generation _old = new();

    /// <summary>Looks a token up without copying it.</summary>
    public bool TryGet(ReadOnlySpan<char> token, [NotNullWhen(true)] out T? known)
    {
        if (Volatile.Read(ref _young).Lookup.TryGetValue(token, out known))
        {
            return true;
        }

        if (!Volatile.Read(ref _old).Lookup.TryGetValue(token, out var key, out known))
        {
            return false;
        }

        Set(key, known);
        return true;
    }

    /// <summary>Adds or replaces what is known of a token.</summary>
    /// <param name="token">The token.</param>
    /// <param name="known">What is known of the token.</param>
    public void Set(string token, T known)
    {
        var young = Volatile.Read(ref _young);
        if (!young.Entries.TryAdd(token, known))
        {
            young.Entries[token] = known;
            return;
        }

        if (Interlocked.Add(ref young.Bytes, (token.Length * 2) + OverheadBytes + extraBytes) > maxBytes / 2)
        {
            Turn(young);
        }
    }

    /// <summary>Removes a token.</summary>
    public void Remove(ReadOnlySpan<char> token)
    {
        // The token's share of the memory stays counted until its generation is dropped, so the bound is never exceeded.
        Volatile.Read(ref _young).Lookup.TryRemove(token, out _);
        Volatile.Read(ref _old).Lookup.TryRemove(token, out _);
    }

    private void Turn(Generation full)
    {
        lock (_lock)
        {
            if (ReferenceEquals(full, _young))
            {
                Volatile.Write(ref _old, full);
                Volatile.Write(ref _young, new Generation());
            }
        }
    }

    private sealed class Generation
    {
        public readonly ConcurrentDictionary<string, T> Entries;
        public readonly ConcurrentDictionary<string, T>.AlternateLookup<ReadOnlySpan<char>> Lookup;
        public long Bytes;

        public Generation()
        {
            Entries = new(StringComparer.Ordinal);
            Lookup = Entries.GetAlternateLookup<ReadOnlySpan<char>>();
        }
    }
}
