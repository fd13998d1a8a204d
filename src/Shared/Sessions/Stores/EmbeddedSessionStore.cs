using System.Collections.Immutable;
using Bff.Audit;

namespace Bff.Sessions.Stores;

/// <summary>Keeps sessions in memory for as long as the process lives.</summary>
internal sealed class EmbeddedSessionStore(TimeProvider time, IAuditLog? log = null) : ISessionStore
{
    private static readonly TimeSpan MarkedFor = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestAddition = TimeSpan.FromMinutes(5);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (StoredSession Session, TimeSpan Idle)> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _indexes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Owner, DateTimeOffset Until)> _locks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _marks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _ended = new(StringComparer.Ordinal);
    private ImmutableArray<Action<string?>> _listeners = [];
    private DateTimeOffset _nextSweep;

    public IDisposable OnEnded(Action<string?> ended)
    {
        ImmutableInterlocked.Update(ref _listeners, static (all, added) => all.Add(added), ended);
        return new Listening(() => ImmutableInterlocked.Update(ref _listeners, static (all, gone) => all.Remove(gone), ended));
    }

    public Task Add(string key, StoredSession session, TimeSpan idle, IReadOnlyList<string> indexes)
    {
        lock (_lock)
        {
            Sweep();
            if (_ended.ContainsKey(key))
            {
                return Task.CompletedTask;
            }

            _sessions[key] = (session, idle);
            _marks["was:" + key] = session.EndsAt + MarkedFor;
            foreach (var index in indexes)
            {
                (_indexes.TryGetValue(index, out var members) ? members : _indexes[index] = new(StringComparer.Ordinal)).Add(key);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Does nothing: the indexes live in the same process as the sessions, and are swept with them.</summary>
    public Task Index(string key, DateTimeOffset endsAt, IReadOnlyList<string> indexes) => Task.CompletedTask;

    public Task<SessionFound> Find(string key, DateTimeOffset now, TimeSpan idle, TimeSpan? touchAfter)
    {
        lock (_lock)
        {
            if (!_sessions.TryGetValue(key, out var found))
            {
                return Task.FromResult(new SessionFound(null, _marks.ContainsKey("was:" + key)));
            }

            var session = found.Session;
            if (now >= session.EndsAt || now >= session.LastSeen + idle)
            {
                return Task.FromResult(new SessionFound(null, true));
            }

            if (touchAfter is { } after && now - session.LastSeen >= after)
            {
                _sessions[key] = (session = session with { LastSeen = now }, idle);
            }

            return Task.FromResult(new SessionFound(session, false));
        }
    }

    public Task<bool> Replace(string key, byte[] box, DateTimeOffset endsAt, long version)
    {
        lock (_lock)
        {
            if (!_sessions.TryGetValue(key, out var found) || found.Session.Version != version)
            {
                return Task.FromResult(false);
            }

            _sessions[key] = (found.Session with { Box = box, EndsAt = endsAt, Version = version + 1 }, found.Idle);
            return Task.FromResult(true);
        }
    }

    public Task End(string key, bool leaveMark, IReadOnlyList<AuditEntry>? audit = null)
    {
        bool wasThere;
        lock (_lock)
        {
            wasThere = _sessions.Remove(key);
            if (!leaveMark)
            {
                _marks.Remove("was:" + key);
                _ended[key] = time.GetUtcNow() + LongestAddition;
            }
        }

        foreach (var listener in _listeners)
        {
            listener(key);
        }

        return log.Note(wasThere ? audit : null, default);
    }

    public Task<IReadOnlyList<string>> Members(string index)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<string>>(_indexes.TryGetValue(index, out var members) ? [.. members] : []);
        }
    }

    public Task Drop(string index, string key)
    {
        lock (_lock)
        {
            if (_indexes.TryGetValue(index, out var members) && members.Remove(key) && members.Count == 0)
            {
                _indexes.Remove(index);
            }
        }

        return Task.CompletedTask;
    }

    public Task<bool> TryLock(string key, string owner, TimeSpan life)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_locks.TryGetValue(key, out var held) && held.Until > now)
            {
                return Task.FromResult(false);
            }

            _locks[key] = (owner, now + life);
            return Task.FromResult(true);
        }
    }

    public Task Unlock(string key, string owner)
    {
        lock (_lock)
        {
            if (_locks.TryGetValue(key, out var held) && held.Owner == owner)
            {
                _locks.Remove(key);
            }
        }

        return Task.CompletedTask;
    }

    public Task<bool> Spend(string name, TimeSpan life)
    {
        lock (_lock)
        {
            Sweep();
            var now = time.GetUtcNow();
            if (_marks.TryGetValue("spent:" + name, out var until) && until > now)
            {
                return Task.FromResult(false);
            }

            _marks["spent:" + name] = now + life;
            return Task.FromResult(true);
        }
    }

    public Task<bool> IsSpent(string name)
    {
        lock (_lock)
        {
            return Task.FromResult(_marks.TryGetValue("spent:" + name, out var until) && until > time.GetUtcNow());
        }
    }

    private void Sweep()
    {
        var now = time.GetUtcNow();
        if (now < _nextSweep)
        {
            return;
        }

        _nextSweep = now + TimeSpan.FromMinutes(1);
        foreach (var (key, (session, idle)) in _sessions)
        {
            if (now >= session.EndsAt || now >= session.LastSeen + idle)
            {
                _sessions.Remove(key);
            }
        }

        foreach (var (mark, until) in _marks.Where(m => m.Value <= now).ToList())
        {
            _marks.Remove(mark);
        }

        foreach (var (key, _) in _ended.Where(e => e.Value <= now).ToList())
        {
            _ended.Remove(key);
        }

        foreach (var (index, members) in _indexes.ToList())
        {
            members.RemoveWhere(key => !_sessions.ContainsKey(key));
            if (members.Count == 0)
            {
                _indexes.Remove(index);
            }
        }
    }

    private sealed class Listening(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
