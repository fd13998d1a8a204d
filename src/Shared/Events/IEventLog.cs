using Bff.State;

namespace Bff.Events;

/// <summary>Part of the log.</summary>
/// <param name="Events">In the order in which they were taken.</param>
/// <param name="IsComplete">False: between the place that was asked for and the first of these some may have been trimmed, or the log is
/// not the one that the place was of.</param>
public sealed record EventPage(IReadOnlyList<LoggedEvent> Events, bool IsComplete);

/// <summary>Part of everybody's log.</summary>
/// <param name="Events">In the order in which they were taken.</param>
/// <param name="FirstNumber">The first event's number; each event has its predecessor's plus one. 0 without events.</param>
/// <param name="ReadUpTo">Every event up to this place has been read.</param>
/// <param name="IsComplete">False: the log has lost what the place was of, so that there may be events that are neither before it nor among
/// these.</param>
public sealed record EventTailPage(IReadOnlyList<LoggedEvent> Events, long FirstNumber, EventId ReadUpTo, bool IsComplete);

/// <summary>The end of the log.</summary>
/// <param name="Id">Whatever is taken from now on comes after it.</param>
/// <param name="Number">How many have been taken: the number of the last one.</param>
public sealed record EventLogEnd(EventId Id, long Number);

/// <summary>
/// The events that the services published, in the order in which they were taken; one log for all instances of all hosts, read by user, by
/// tenant and as a whole.
/// </summary>
public interface IEventLog
{
    /// <summary>
    /// Takes all of the events or none. One whose source and id were taken within 24 h before is left out. When this returns they are in
    /// the log.
    /// </summary>
    /// <exception cref="StoreUnavailableException">It is not known whether they are in the log; publishing them again is safe.</exception>
    Task Append(IReadOnlyList<NewEvent> events, CancellationToken cancellation);

    /// <summary>Where the log ends now.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<EventLogEnd> End(CancellationToken cancellation);

    /// <summary>The events for one user after a place, at most <paramref name="count"/>.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<EventPage> ReadUser(string user, EventId after, int count, CancellationToken cancellation);

    /// <summary>The events for one tenant after a place, at most <paramref name="count"/>.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<EventPage> ReadTenant(string tenant, EventId after, int count, CancellationToken cancellation);

    /// <summary>Everybody's events after a place, at most <paramref name="count"/>.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<EventTailPage> ReadAll(EventId after, int count, CancellationToken cancellation);

    /// <summary>Calls back, on a background thread, soon after an event was appended. A hint that may be missed.</summary>
    /// <returns>Dispose to stop.</returns>
    IDisposable OnAppended(Action appended);
}

/// <summary>
/// Work that outlives every instance: the events of the tenants that are watched, until each has been completed. It is not trimmed: when
/// no instance completes events, publishing is refused before anything is dropped.
/// </summary>
public interface IEventQueue
{
    /// <summary>
    /// From when this returns on, every event of the tenant that is taken is also queued, until the store loses data. False when that was
    /// so already.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<bool> Watch(string tenant, CancellationToken cancellation);

    /// <summary>
    /// Takes at most <paramref name="count"/> events: new ones, and those that an instance took more than <see cref="ClaimTimeout"/> ago
    /// and did not complete. Empty when there are none.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<IReadOnlyList<LoggedEvent>> Take(int count, CancellationToken cancellation);

    /// <summary>It is done and forgotten.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away: they will be handed out again.</exception>
    Task Done(IReadOnlyCollection<EventId> ids, CancellationToken cancellation);

    /// <summary>Hands work back, so that another instance takes it at once.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away: it goes to another instance after <see cref="ClaimTimeout"/>.</exception>
    Task Return(IReadOnlyCollection<EventId> ids, CancellationToken cancellation);

    /// <summary>After this long, unfinished work is handed to another worker.</summary>
    static readonly TimeSpan ClaimTimeout = TimeSpan.FromSeconds(30);

    /// <summary>So many events may wait; beyond, publishing is refused with 503.</summary>
    internal const int MaxWaiting = 1_000_000;
}
