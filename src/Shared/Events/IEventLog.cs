using Bff.State;

namespace Bff.Events;

/// <summary>A part of the log.</summary>
/// <param name="Events">The events, in the order in which they were taken.</param>
/// <param name="IsComplete">
/// False if events between the requested place and the first of these may have been trimmed, or if the place belongs to another log.
/// </param>
public sealed record EventPage(IReadOnlyList<LoggedEvent> Events, bool IsComplete);

/// <summary>A part of the log of all events.</summary>
/// <param name="Events">The events, in the order in which they were taken.</param>
/// <param name="FirstNumber">Number of the first event. Each event's number is its predecessor's plus one. 0 without events.</param>
/// <param name="ReadUpTo">The place up to which every event has been read.</param>
/// <param name="IsComplete">
/// False if the log has lost the events of the requested place, so that some events may be neither before it nor among these.
/// </param>
public sealed record EventTailPage(IReadOnlyList<LoggedEvent> Events, long FirstNumber, EventId ReadUpTo, bool IsComplete);

/// <summary>The end of the log.</summary>
/// <param name="Id">The last place. Whatever is taken from now on comes after it.</param>
/// <param name="Number">Number of events taken, which is the number of the last one.</param>
public sealed record EventLogEnd(EventId Id, long Number);

/// <summary>
/// The log of the events that services published, in the order in which they were taken. All instances of all hosts share one log. It is
/// read by user, by tenant and as a whole.
/// </summary>
public interface IEventLog
{
    /// <summary>
    /// Takes all of the events or none. An event whose source and id were taken within the last 24 h is left out. When this returns, the
    /// events are in the log.
    /// </summary>
    /// <exception cref="StoreUnavailableException">
    /// It is unknown whether the events are in the log. Publishing them again is safe.
    /// </exception>
    Task Append(IReadOnlyList<NewEvent> events, CancellationToken cancellation);

    /// <summary>Returns the current end of the log.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<EventLogEnd> End(CancellationToken cancellation);

    /// <summary>Returns at most <paramref name="count"/> events for one user after a place.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<EventPage> ReadUser(string user, EventId after, int count, CancellationToken cancellation);

    /// <summary>Returns at most <paramref name="count"/> events for one tenant after a place.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<EventPage> ReadTenant(string tenant, EventId after, int count, CancellationToken cancellation);

    /// <summary>Returns at most <paramref name="count"/> of all events after a place.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<EventTailPage> ReadAll(EventId after, int count, CancellationToken cancellation);

    /// <summary>Calls back on a background thread soon after an event was appended. The call is a hint that may be missed.</summary>
    /// <returns>The registration; dispose it to stop.</returns>
    IDisposable OnAppended(Action appended);
}

/// <summary>
/// A queue that outlives every instance. It holds the events of watched tenants until each event is done. The queue is never trimmed: if no
/// instance finishes events, publishing is refused before any event is dropped.
/// </summary>
public interface IEventQueue
{
    /// <summary>
    /// Watches a tenant. Once this returns, every event of the tenant that is taken is also queued, until the store loses data. Returns
    /// false if the tenant was already watched.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<bool> Watch(string tenant, CancellationToken cancellation);

    /// <summary>
    /// Takes at most <paramref name="count"/> events: new ones, and those that an instance took more than <see cref="ClaimTimeout"/> ago
    /// and did not finish. Empty if there are none.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<IReadOnlyList<LoggedEvent>> Take(int count, CancellationToken cancellation);

    /// <summary>Removes finished events from the queue.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away. The events will be handed out again.</exception>
    Task Done(IReadOnlyCollection<EventId> ids, CancellationToken cancellation);

    /// <summary>Hands events back, so that another instance takes them at once.</summary>
    /// <exception cref="StoreUnavailableException">
    /// Redis is away. Another instance gets the events after <see cref="ClaimTimeout"/>.
    /// </exception>
    Task Return(IReadOnlyCollection<EventId> ids, CancellationToken cancellation);

    /// <summary>Time after which an unfinished event is handed to another worker.</summary>
    static readonly TimeSpan ClaimTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Number of events that may wait. Beyond it, publishing is refused with 503.</summary>
    internal const int MaxWaiting = 1_000_000;
}
