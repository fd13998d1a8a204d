using System.Runtime.CompilerServices;
using Bff.Concurrency;
using Bff.Requests;
using Bff.State;

namespace Bff.Events;

/// <summary>The kind of an item in a stream of one user's events.</summary>
public enum UserEventKind
{
    /// <summary>The stream is open. A reader that resumes after <see cref="UserEvent.Id"/> misses nothing.</summary>
    Opened,

    /// <summary>An event.</summary>
    Event,

    /// <summary>Events before <see cref="UserEvent.Id"/> may have been lost. The reader must read the current state again.</summary>
    Reset,

    /// <summary>Nothing has happened for a while.</summary>
    Idle,
}

/// <summary>An item of a stream of one user's events.</summary>
/// <param name="Kind">The kind of item.</param>
/// <param name="Id">The reader's place after this item.</param>
/// <param name="Event">The event. Null for the other kinds.</param>
public readonly record struct UserEvent(UserEventKind Kind, EventId Id, LoggedEvent? Event = null);

/// <summary>Follows the events for one user from a place on, each once and in order.</summary>
public sealed class UserEvents
{
    private const int PageSize = 100;
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private readonly IEventLog _log;
    private readonly EventTail _tail;
    private readonly TimeProvider _time;

    internal UserEvents(IEventLog log, EventTail tail, TimeProvider time) => (_log, _tail, _time) = (log, tail, time);

    /// <summary>Number of streams that this instance has open.</summary>
    public int Open => _tail.Count;

    /// <summary>
    /// Follows the events whose <c>userid</c> is the caller's subject and whose <c>tenantid</c>, if both have one, is the caller's tenant.
    /// The first item comes as soon as it is certain that nothing more can be missed. While Redis is away, only
    /// <see cref="UserEventKind.Idle"/> items come.
    /// </summary>
    /// <param name="caller">The caller whose events to follow.</param>
    /// <param name="after">
    /// The last event that the reader has. Null: from now on. A place that the log no longer knows gives one
    /// <see cref="UserEventKind.Reset"/>.
    /// </param>
    /// <param name="idle">
    /// Time without any other item after which <see cref="UserEventKind.Idle"/> comes. It may come up to a second early. Must be longer
    /// than a second.
    /// </param>
    /// <param name="cancellation">Ends the stream with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="StoreUnavailableException">Redis is away. Thrown only before the first item.</exception>
    public async IAsyncEnumerable<UserEvent> Follow(
        Caller caller,
        EventId? after,
        TimeSpan idle,
        [EnumeratorCancellation] CancellationToken cancellation
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(idle, EventTail.LookEvery);
        var user = caller.Subject;
        var stream = await _tail.Open(user, cancellation);
        try
        {
            var isBehind = after is not null;
            var now = (await _log.End(cancellation)).Id;
            var last = after switch
            {
                null => now,
                { } place when place > now => default, // A place of another log: later events would be before it.
                { } place => place,
            };
            if (isBehind)
            {
                await _log.ReadUser(user, last, 1, cancellation); // Fails now rather than after the stream has begun.
            }

            yield return new(UserEventKind.Opened, last);
            var spokenAt = _time.GetTimestamp();
            while (true)
            {
                var next = stream.Next(out var fellBehind);
                isBehind |= fellBehind;
                if (isBehind && await TryRead(user, last, cancellation) is { } page)
                {
                    if (page.ResetAt is { } end)
                    {
                        last = end;
                        yield return new(UserEventKind.Reset, last);
                        spokenAt = _time.GetTimestamp();
                    }

                    foreach (var item in page.Events)
                    {
                        last = item.Id;
                        if (IsFor(caller, item))
                        {
                            yield return new(UserEventKind.Event, last, item);
                            spokenAt = _time.GetTimestamp();
                        }
                    }

                    isBehind = page.Events.Count == PageSize;
                    continue; // An event that was taken from the stream is in the log too.
                }

                if (next is not null && !isBehind)
                {
                    if (next.Id > last && IsFor(caller, next))
                    {
                        last = next.Id;
                        yield return new(UserEventKind.Event, last, next);
                        spokenAt = _time.GetTimestamp();
                    }

                    continue;
                }

                var quiet = _time.GetElapsedTime(spokenAt);
                if (quiet + EventTail.LookEvery > idle)
                {
                    last = isBehind ? last : Latest(stream, last);
                    yield return new(UserEventKind.Idle, last);
                    spokenAt = _time.GetTimestamp();
                    continue;
                }

                var wait = idle - quiet;
                await stream.Wait(_time.TimestampIn(isBehind && wait > Retry ? Retry : wait), cancellation);
            }
        }
        finally
        {
            _tail.Close(user, stream);
        }
    }

    private static bool IsFor(Caller caller, LoggedEvent item) =>
        item.Head.Tenant is null || caller.Tenant is null || item.Head.Tenant == caller.Tenant;

    /// <summary>
    /// Returns the latest place up to which the reader has missed nothing. Without it, the place of a reader without events would grow too
    /// old to resume from.
    /// </summary>
    private EventId Latest(EventSubscription stream, EventId last) =>
        _tail.ReadUpTo is var upTo && upTo > last && stream.IsEmpty ? upTo : last;

    /// <summary>Reads the user's events after a place. Null while Redis is away.</summary>
    private async Task<(IReadOnlyList<LoggedEvent> Events, EventId? ResetAt)?> TryRead(
        string user,
        EventId after,
        CancellationToken cancellation
    )
    {
        try
        {
            var page = await _log.ReadUser(user, after, PageSize, cancellation);
            return page.IsComplete ? (page.Events, null) : ([], (await _log.End(cancellation)).Id);
        }
        catch (StoreException)
        {
            return null;
        }
    }
}
