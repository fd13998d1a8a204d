using Microsoft.Extensions.Options;

namespace Bff.Events;

/// <summary>The event log and queue of a single process, lost when it ends.</summary>
internal sealed class EmbeddedEventLog(IOptions<EventsOptions> options, TimeProvider time) : IEventLog
{
    private const int SweepEvery = 1000;
    private static readonly TimeSpan SeenFor = TimeSpan.FromHours(24);

    private readonly Lock _lock = new();
    private readonly EventsOptions _options = options.Value;
    private readonly List<LoggedEvent> _all = [];
    private readonly Dictionary<string, List<LoggedEvent>> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<LoggedEvent>> _tenants = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Source, string Id), DateTimeOffset> _seen = [];
    private readonly long _began = time.GetUtcNow().ToUnixTimeMilliseconds() - 1;
    private readonly long _stamp = EventId.NewStamp(); // One for all events: they are lost with this process, and only then.
    private EventId _last;
    private long _number;
    private Action? _appended;

    /// <summary>
    /// Called within the lock for the events that are taken, so that logging and queueing are one step. Returns false if too many events
    /// wait.
    /// </summary>
    internal Func<IReadOnlyList<LoggedEvent>, bool>? Queue { get; set; }

    public Task Append(IReadOnlyList<NewEvent> events, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var taken = new List<LoggedEvent>();
            var last = _last;
            var batch = new HashSet<(string, string)>();
            foreach (var (head, data) in events)
            {
                var name = (head.Source, head.SourceId);
                if ((!_seen.TryGetValue(name, out var until) || until <= now) && batch.Add(name))
                {
                    last = last.Next(now.ToUnixTimeMilliseconds(), _stamp);
                    taken.Add(new(last, head, data));
                }
            }

            if (taken.Count > 0 && Queue?.Invoke(taken) == false)
            {
                throw new State.StoreUnavailableException();
            }

            foreach (var item in taken)
            {
                Keep(item, now);
            }
        }

        Volatile.Read(ref _appended)?.Invoke();
        return Task.CompletedTask;
    }

    public Task<EventLogEnd> End(CancellationToken cancellation)
    {
        lock (_lock)
        {
            return Task.FromResult(new EventLogEnd(Latest(), _number));
        }
    }

    public Task<EventPage> ReadUser(string user, EventId after, int count, CancellationToken cancellation) =>
        Read(_users, user, after, count);

    public Task<EventPage> ReadTenant(string tenant, EventId after, int count, CancellationToken cancellation) =>
        Read(_tenants, tenant, after, count);

    public Task<EventTailPage> ReadAll(EventId after, int count, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var from = FirstAfter(_all, after);
            var events = _all.GetRange(from, Math.Min(count, _all.Count - from));
            return Task.FromResult(
                events.Count == 0
                    ? new EventTailPage([], 0, Latest(), IsKnown(after))
                    : new EventTailPage(events, _number - _all.Count + from + 1, events[^1].Id, IsKnown(after))
            );
        }
    }

    public IDisposable OnAppended(Action appended)
    {
        lock (_lock)
        {
            _appended += appended;
        }

        return new Registration(this, appended);
    }

    /// <summary>
    /// Returns the end of the log and remembers it, so that whatever is taken later comes after it, even if the clock goes back.
    /// </summary>
    private EventId Latest() =>
        new EventId(time.GetUtcNow().ToUnixTimeMilliseconds() - 1, _stamp) is var now && now > _last ? _last = now : _last;

    /// <summary>Whether this log handed out the place.</summary>
    private bool IsKnown(EventId place) => place.Stamp == _stamp && place <= Latest();

    private void Keep(LoggedEvent item, DateTimeOffset now)
    {
        _last = item.Id;
        _number++;
        _seen[(item.Head.Source, item.Head.SourceId)] = now + SeenFor;
        Add(_all, item, now);
        Add(_tenants, item.Head.Tenant, item, now);
        Add(_users, item.Head.User, item, now);
        if (_number % SweepEvery == 0)
        {
            Sweep(now);
        }
    }

    private void Add(Dictionary<string, List<LoggedEvent>> of, string? name, LoggedEvent item, DateTimeOffset now)
    {
        if (name is not null)
        {
            if (!of.TryGetValue(name, out var list))
            {
                of[name] = list = [];
            }

            Add(list, item, now);
        }
    }

    private void Add(List<LoggedEvent> list, LoggedEvent item, DateTimeOffset now)
    {
        list.Add(item);
        var tooOld = FirstAfter(list, EventId.JustBefore(now - _options.Retention));
        list.RemoveRange(0, Math.Max(tooOld, list.Count - _options.MaxLength - 1 is > 0 and var tooMany ? tooMany : 0));
    }

    private void Sweep(DateTimeOffset now)
    {
        foreach (var (name, _) in _seen.Where(s => s.Value <= now).ToList())
        {
            _seen.Remove(name);
        }

        foreach (var of in new[] { _users, _tenants })
        {
            foreach (var (name, _) in of.Where(l => l.Value[^1].Id.At < now - _options.Retention).ToList())
            {
                of.Remove(name);
            }
        }
    }

    private Task<EventPage> Read(Dictionary<string, List<LoggedEvent>> of, string name, EventId after, int count)
    {
        lock (_lock)
        {
            var list = of.GetValueOrDefault(name) ?? [];
            var from = FirstAfter(list, after);
            var isComplete =
                after.Milliseconds >= _began
                && time.GetUtcNow() - after.At < _options.Retention
                && (after.IsTime || IsKnown(after))
                && (list.Count <= _options.MaxLength || from > 0);
            return Task.FromResult(new EventPage(list.GetRange(from, Math.Min(count, list.Count - from)), isComplete));
        }
    }

    private static int FirstAfter(List<LoggedEvent> list, EventId after)
    {
        var (low, high) = (0, list.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = list[middle].Id > after ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private sealed class Registration(EmbeddedEventLog log, Action appended) : IDisposable
    {
        public void Dispose()
        {
            lock (log._lock)
            {
                log._appended -= appended;
            }
        }
    }
}
