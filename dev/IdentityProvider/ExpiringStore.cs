using System.Collections.Concurrent;

namespace Bff.Dev.IdentityProvider;

/// <summary>Stores values that expire. Removes expired ones from time to time, so that a provider that runs for days stays small.</summary>
internal sealed class ExpiringStore<T>(TimeProvider time)
    where T : class
{
    private readonly ConcurrentDictionary<string, (T Value, DateTimeOffset Ends)> entries = new(StringComparer.Ordinal);
    private int writes;

    public IEnumerable<T> Live => entries.Values.Where(entry => entry.Ends > time.GetUtcNow()).Select(entry => entry.Value);

    public void Keep(string name, T value, DateTimeOffset ends)
    {
        entries[name] = (value, ends);
        if (Interlocked.Increment(ref writes) % 256 != 0)
            return;
        foreach (var (old, entry) in entries)
            if (entry.Ends <= time.GetUtcNow())
                entries.TryRemove(old, out _);
    }

    public T? Find(string? name) =>
        name is not null && entries.TryGetValue(name, out var entry) && entry.Ends > time.GetUtcNow() ? entry.Value : null;

    public void Remove(string name) => entries.TryRemove(name, out _);
}
