namespace Bff.Events;

/// <summary>The work queue of a single process, lost when it ends.</summary>
internal sealed class EmbeddedEventQueue : IEventQueue
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly HashSet<string> _watched = new(StringComparer.Ordinal);
    private readonly SortedDictionary<EventId, (LoggedEvent Event, DateTimeOffset FreeAt)> _waiting = [];

    public EmbeddedEventQueue(IEventLog log, TimeProvider time)
    {
        _time = time;
        ((EmbeddedEventLog)log).Queue = Add;
    }

    internal TimeSpan ClaimTimeout { get; init; } = IEventQueue.ClaimTimeout;

    public Task<bool> Watch(string tenant, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return Task.FromResult(_watched.Add(tenant));
        }
    }

    public Task<IReadOnlyList<LoggedEvent>> Take(int count, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            var free = _waiting.Values.Where(w => w.FreeAt <= now).Take(count).Select(w => w.Event).ToList();
            foreach (var taken in free)
            {
                _waiting[taken.Id] = (taken, now + ClaimTimeout);
            }

            return Task.FromResult<IReadOnlyList<LoggedEvent>>(free);
        }
    }

    public Task Done(IReadOnlyCollection<EventId> ids, CancellationToken cancellation) =>
        Locked(() =>
        {
            foreach (var id in ids)
            {
                _waiting.Remove(id);
            }
        });

    public Task Return(IReadOnlyCollection<EventId> ids, CancellationToken cancellation) =>
        Locked(() =>
        {
            foreach (var id in ids)
            {
                if (_waiting.TryGetValue(id, out var work))
                {
                    _waiting[id] = (work.Event, DateTimeOffset.MinValue);
                }
            }
        });

    private bool Add(IReadOnlyList<LoggedEvent> events)
    {
        lock (_lock)
        {
            if (_waiting.Count + events.Count > IEventQueue.MaxWaiting)
            {
                return false;
            }

            foreach (var item in events)
            {
                if (item.Head.Tenant is { } tenant && _watched.Contains(tenant))
                {
                    _waiting[item.Id] = (item, DateTimeOffset.MinValue);
                }
            }

            return true;
        }
    }

    private Task Locked(Action action)
    {
        lock (_lock)
        {
            action();
        }

        return Task.CompletedTask;
    }
}
