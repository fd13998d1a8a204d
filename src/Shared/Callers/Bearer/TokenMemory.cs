using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Bff.Callers.Bearer;

/// <summary>
/// Remembers what is known of tokens within bounded memory. Two generations: what was asked for since the last turn is in the young one;
/// when that is full it becomes the old one, and what was not asked for meanwhile goes. A hit takes no lock and allocates nothing.
/// </summary>
/// <param name="maxBytes">How much memory the tokens may take, roughly.</param>
/// <param name="extraBytes">What is known of a token takes so much beyond the usual, roughly.</param>
internal sealed class TokenMemory<T>(long maxBytes, int extraBytes = 0)
    where T : class
{
    private const int OverheadBytes = 1024; // The entry's caller, claims and node: measured 0.6 to 1 KiB.

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

    /// <summary>Remembers.</summary>
    /// <param name="token">What is looked up.</param>
    /// <param name="known">What is known of it.</param>
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

    /// <summary>Forgets.</summary>
    public void Remove(ReadOnlySpan<char> token)
    {
        // Its share of the memory is not given back before the generation goes: the bound stays a bound.
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
