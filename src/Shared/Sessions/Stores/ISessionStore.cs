using Bff.Audit;

namespace Bff.Sessions.Stores;

/// <summary>A session as the store keeps it.</summary>
/// <param name="Box">The sealed record.</param>
/// <param name="LastSeen">The latest request that counted.</param>
/// <param name="EndsAt">The absolute end.</param>
/// <param name="Version">Grows with each replacement.</param>
internal sealed record StoredSession(byte[] Box, DateTimeOffset LastSeen, DateTimeOffset EndsAt, long Version);

/// <summary>What a look-up found: a living session, one that is over, or nothing that ever was.</summary>
/// <param name="Session">Null when there is none that lives.</param>
/// <param name="IsOver">True when there was one that ran out or whose refresh was refused.</param>
internal readonly record struct SessionFound(StoredSession? Session, bool IsOver);

/// <summary>
/// Sessions by key (a hash of the cookie), shared by the instances. Times are the caller's clock; what is over is never found again.
/// Every member throws <see cref="State.StoreUnavailableException"/> when Redis is away.
/// </summary>
internal interface ISessionStore
{
    /// <summary>
    /// Calls back within a second when a session is ended, on whichever instance, with its key, in the same step as its end; with null when
    /// some may have been missed.
    /// </summary>
    IDisposable OnEnded(Action<string?> ended);

    /// <summary>Does nothing when the session was ended before it came.</summary>
    Task Add(string key, StoredSession session, TimeSpan idle, IReadOnlyList<string> indexes);

    /// <summary>Puts a session back into its indexes, which can be lost while it lives, with the end that it has now.</summary>
    Task Index(string key, DateTimeOffset endsAt, IReadOnlyList<string> indexes);

    /// <param name="key">Which.</param>
    /// <param name="now">The time.</param>
    /// <param name="idle">The idle time-out.</param>
    /// <param name="touchAfter">Notes the session as seen now when it was last seen this long ago; null: never.</param>
    Task<SessionFound> Find(string key, DateTimeOffset now, TimeSpan idle, TimeSpan? touchAfter);

    /// <summary>
    /// Puts another record in the place of the given version. False: the session has ended, or another request replaced it.
    /// </summary>
    Task<bool> Replace(string key, byte[] box, DateTimeOffset endsAt, long version);

    /// <summary>Ends a session, also one that is only just being added, and announces it: either both happen or neither.</summary>
    /// <param name="key">Which.</param>
    /// <param name="leaveMark">True when its cookie is to be told that it is over; false when it is to name nothing.</param>
    /// <param name="audit">Written in the same step, where the session was there.</param>
    Task End(string key, bool leaveMark, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>The keys that were added under an index and have not been dropped; some may have ended since.</summary>
    Task<IReadOnlyList<string>> Members(string index);

    Task Drop(string index, string key);

    /// <summary>
    /// Takes a lock, such as that of a session's refresh; false: it is taken. A lock that was taken without an answer is given back.
    /// </summary>
    Task<bool> TryLock(string key, string owner, TimeSpan life);

    /// <summary>Gives a lock back; while Redis is away it is tried again in the background.</summary>
    Task Unlock(string key, string owner);

    /// <summary>
    /// Marks something that may be used once; false: it has been used. What was marked without an answer may be used again.
    /// </summary>
    Task<bool> Spend(string name, TimeSpan life);

    Task<bool> IsSpent(string name);
}
