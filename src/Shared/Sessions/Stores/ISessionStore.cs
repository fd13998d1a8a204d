using Bff.Audit;

namespace Bff.Sessions.Stores;

/// <summary>A session as the store keeps it.</summary>
/// <param name="Box">The sealed record.</param>
/// <param name="LastSeen">Time of the latest request that counted.</param>
/// <param name="EndsAt">The absolute end.</param>
/// <param name="Version">Version of the record, which grows with each replacement.</param>
internal sealed record StoredSession(byte[] Box, DateTimeOffset LastSeen, DateTimeOffset EndsAt, long Version);

/// <summary>The result of a look-up: a live session, one that has ended, or none that ever existed.</summary>
/// <param name="Session">The session. Null if there is no live one.</param>
/// <param name="IsOver">Whether there was a session that expired or whose refresh was refused.</param>
internal readonly record struct SessionFound(StoredSession? Session, bool IsOver);

/// <summary>
/// Stores sessions by key (a hash of the cookie), shared by the instances. Times are by the caller's clock. A session that has ended is
/// never found again. Every member throws <see cref="State.StoreUnavailableException"/> when Redis is away.
/// </summary>
internal interface ISessionStore
{
    /// <summary>
    /// Calls back with the session's key within a second after any instance ends a session. The announcement is made in the same step as
    /// the end. Calls back with null if announcements may have been missed.
    /// </summary>
    IDisposable OnEnded(Action<string?> ended);

    /// <summary>Adds a session. Does nothing if the session was ended before it was added.</summary>
    Task Add(string key, StoredSession session, TimeSpan idle, IReadOnlyList<string> indexes);

    /// <summary>Adds a session to its indexes again, with its current end. Indexes can be lost while the session lives.</summary>
    Task Index(string key, DateTimeOffset endsAt, IReadOnlyList<string> indexes);

    /// <summary>Finds a session.</summary>
    /// <param name="key">The session's key.</param>
    /// <param name="now">The current time.</param>
    /// <param name="idle">The idle timeout.</param>
    /// <param name="touchAfter">Records the session as seen now if it was last seen at least this long ago. Null: never.</param>
    Task<SessionFound> Find(string key, DateTimeOffset now, TimeSpan idle, TimeSpan? touchAfter);

    /// <summary>Replaces the record of the given version. Returns false if the session has ended or another request replaced it.</summary>
    Task<bool> Replace(string key, byte[] box, DateTimeOffset endsAt, long version);

    /// <summary>Ends a session, even one that is just being added, and announces it. Either both happen or neither.</summary>
    /// <param name="key">The session's key.</param>
    /// <param name="leaveMark">
    /// True if a request with its cookie is to be told that the session has ended; false if the cookie is to be unknown.
    /// </param>
    /// <param name="audit">Entries written in the same step, if the session existed.</param>
    Task End(string key, bool leaveMark, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Returns the keys that were added under an index and not dropped. Some of these sessions may have ended since.</summary>
    Task<IReadOnlyList<string>> Members(string index);

    Task Drop(string index, string key);

    /// <summary>
    /// Takes a lock, such as that of a session's refresh. Returns false if it is taken. A lock whose request got no answer is given back.
    /// </summary>
    Task<bool> TryLock(string key, string owner, TimeSpan life);

    /// <summary>Gives a lock back. While Redis is away, this is retried in the background.</summary>
    Task Unlock(string key, string owner);

    /// <summary>
    /// Marks something that may be used once. Returns false if it has been used. A mark whose request got no answer is removed, so that it
    /// may be used again.
    /// </summary>
    Task<bool> Spend(string name, TimeSpan life);

    Task<bool> IsSpent(string name);
}
