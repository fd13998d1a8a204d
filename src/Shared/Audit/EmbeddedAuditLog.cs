using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bff.Audit;

/// <summary>Keeps the log of a single instance in memory. It is lost when the instance stops, like the objects that it describes.</summary>
internal sealed class EmbeddedAuditLog(IOptions<AuditOptions> options, TimeProvider time, ILoggerFactory logging) : IAuditLog
{
    private readonly Lock _lock = new();
    private readonly SortedList<string, AuditEntry> _entries = new(StringComparer.Ordinal);
    private readonly AuditLines _lines = new(logging);

    public Task Add(IReadOnlyList<AuditEntry> entries, CancellationToken cancellation)
    {
        lock (_lock)
        {
            foreach (var entry in entries)
            {
                _entries.Add(entry.Id, entry);
            }

            var oldest = time.GetUtcNow() - options.Value.Retention;
            while (_entries.Count > options.Value.MaxEntries || (_entries.Count > 0 && _entries.Values[0].At < oldest))
            {
                _entries.RemoveAt(0);
            }
        }

        _lines.Write(entries);
        return Task.CompletedTask;
    }

    public Task<(IReadOnlyList<AuditEntry> Entries, string? Next)> Read(
        AuditQuery query,
        string? before,
        int count,
        CancellationToken cancellation
    )
    {
        lock (_lock)
        {
            var found = _entries
                .Values.Reverse()
                .Where(e => (before is null || string.CompareOrdinal(e.Id, before) < 0) && query.Wants(e))
                .Take(count)
                .ToList();
            return Task.FromResult<(IReadOnlyList<AuditEntry>, string?)>((found, null));
        }
    }
}
