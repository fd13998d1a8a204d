using System.Runtime.CompilerServices;
using Bff.Concurrency;
using Bff.Requests;
using Bff.State;

namespace Bff.Events;

/// <summary>What a stream of one user's events says next.</summary>
public enum UserEventKind
{
    /// <summary>It is open; a reader that comes back after <see cref="UserEvent.Id"/> misses nothing.</summary>
    Opened,

    /// <summary>An event.</summary>
    Event,

    /// <summary>Some may have been lost before <see cref="UserEvent.Id"/>: read the current state anew.</summary>
    Reset,

    /// <summary>Nothing has happened for a while.</summary>
    Idle,
}

/// <summary>One thing that a stream says.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">Where the reader stands after it.</param>
/// <param name="Event">The event; null for the other kinds.</param>
public readonly record struct UserEvent(UserEventKind Kind, EventId Id, LoggedEvent? Event = null);

/// <summary>The events for one user, from a place on and as they come, each once and in order.</summary>
public sealed class UserEvents
{
    private const int PageSize = 100;
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private readonly IEventLog _log;
    private readonly EventTail _tail;
    private readonly TimeProvider _time;

    internal UserEvents(IEventLog log, EventTail tail, TimeProvider time) => (_log, _tail, _time) = (log, tail, time);

    /// <summary>How many streams this instance has open.</summary>
    public int Open => _tail.Count;

    /// <summary>
    /// Follows the events whose <c>userid</c> is the caller's subject and whose <c>tenantid</c>, where both have one, is the caller's
    /// tenant. The first item comes as soon as it is certain that nothing more can be missed. While Redis is away nothing comes but
    /// <see cref="UserEventKind.Idle"/>.
    /// </summary>
    /// <param name="caller">Whose events.</param>
    /// <param name="after">The last event that the reader has; null: from now on. One that the log does not know any more gives one
    /// <see cref="UserEventKind.Reset"/>.</param>
    /// <param name="idle">After so long, or up to a second less, without anything else comes <see cref="UserEventKind.Idle"/>; above a
    /// second.</param>
    /// <param name="cancellation">Ends it, with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="StoreUnavailableException">Before the first item: Redis is away.</exception>
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
                { } place when place > now => default, // Of another log: what comes next would be before it.
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
                    continue; // What was taken out of the stream is in the log as well.
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

    /// <summary>A reader without events moves on all the same, else its place would grow too old to come back to.</summary>
    private EventId Latest(EventSubscription stream, EventId last) =>
        _tail.ReadUpTo is var upTo && upTo > last && stream.IsEmpty ? upTo : last;

    /// <summary>Null while Redis is away.</summary>
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
