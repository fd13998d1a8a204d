using System.Collections.Concurrent;
using Bff.Requests;

namespace Bff.Callers.Revoked;

/// <summary>
/// What is revoked, as this instance knows it. Entries only ever join or end: a store that lost its data takes none away.
/// </summary>
internal sealed class RevocationList
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (DateTimeOffset IssuedBefore, DateTimeOffset Until)> _subjects = new(
        StringComparer.Ordinal
    );
    private long _changes = 1;

    /// <summary>Adds one that may be known already.</summary>
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

        Interlocked.Increment(ref _changes); // After the entry: who sees the number sees the entry.
    }

    /// <summary>
    /// Whether the caller's credential is revoked. Costs one comparison when nothing was revoked since the caller was last found good.
    /// </summary>
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

    /// <summary>Drops what has ended.</summary>
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
