using System.Collections.Concurrent;
using Bff.Requests;

namespace Bff.Callers.Revoked;

/// <summary>The revocations that this instance knows. Entries are only added or expire: a store that lost its data removes none.</summary>
internal sealed class RevocationList
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (DateTimeOffset IssuedBefore, DateTimeOffset Until)> _subjects = new(
        StringComparer.Ordinal
    );
    private long _changes = 1;

    /// <summary>Adds a revocation, which may already be known.</summary>
    public void Add(Revocation revocation)
    {
        if (revocation.TokenId is { } token)
        {
            _tokens.AddOrUpdate(token, revocation.Until, (_, known) => Later(known, revocation.Until));
        }
        else if (revocation.Subject is { } subject)
        {
            _subjects.AddOrUpdate(
                subject,
                (revocation.IssuedBefore, revocation.Until),
                (_, known) => (Later(known.IssuedBefore, revocation.IssuedBefore), Later(known.Until, revocation.Until))
            );
        }

        Interlocked.Increment(ref _changes); // Counted after the entry is added, so that a reader of the new number sees the entry.
    }

    /// <summary>Whether the caller's credential is revoked. Costs one comparison when nothing was revoked since the last check.</summary>
    public bool Contains(Caller caller)
    {
        var changes = Volatile.Read(ref _changes);
        if (caller.NotRevokedAt == changes)
        {
            return false;
        }

        if (
            (caller.TokenId is { } token && _tokens.ContainsKey(token))
            || (
                _subjects.TryGetValue(caller.Subject, out var subject)
                && (caller.IssuedAt ?? DateTimeOffset.MinValue) < subject.IssuedBefore
            )
        )
        {
            return true;
        }

        caller.NotRevokedAt = changes;
        return false;
    }

    /// <summary>Drops the entries that have ended.</summary>
    public void Purge(DateTimeOffset now)
    {
        foreach (var entry in _tokens)
        {
            if (entry.Value <= now)
            {
                _tokens.TryRemove(entry);
            }
        }

        foreach (var entry in _subjects)
        {
            if (entry.Value.Until <= now)
            {
                _subjects.TryRemove(entry);
            }
        }
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
