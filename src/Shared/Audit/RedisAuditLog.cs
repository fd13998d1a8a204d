using System.Text.Json;
using Bff.State;

namespace Bff.Audit;

/// <summary>
/// Keeps the log in sorted sets with equal scores, so that entries sort by the id that each begins with: <c>bff:{audit}:log</c> for all
/// entries, <c>bff:{audit}:of:&lt;tenant&gt;</c> for those of each tenant.
/// </summary>
internal sealed class RedisAuditLog(RedisState redis, AuditOutbox outbox) : IAuditLog
{
    private const int IdLength = 36;
    private const int PageSize = 500;
    private const int MostPages = 20;

    public async Task Add(IReadOnlyList<AuditEntry> entries, CancellationToken cancellation)
    {
        foreach (var entry in entries)
        {
            await outbox.Add(entry, cancellation);
        }
    }

    public async Task<(IReadOnlyList<AuditEntry> Entries, string? Next)> Read(
        AuditQuery query,
        string? before,
        int count,
        CancellationToken cancellation
    )
    {
        await outbox.SettleOthers(TimeSpan.Zero, cancellation);
        var key = query.Tenant is { } tenant ? AuditOutbox.OfTenant(tenant) : AuditOutbox.Log;
        var found = new List<AuditEntry>();
        for (var page = 0; page < MostPages; page++)
        {
            object[] range =
            [
                key,
                before is null ? "+" : "(" + before,
                query.FirstId is { } first ? "[" + first : "-",
                "LIMIT",
                0,
                PageSize,
            ];
            var read = (string[])
                (await redis.Run("ZREVRANGEBYLEX", database => database.ExecuteAsync("ZREVRANGEBYLEX", range), cancellation))!;
            foreach (var member in read)
            {
                before = member[..IdLength];
                if (JsonSerializer.Deserialize(member.AsSpan(IdLength), AuditJson.Default.AuditEntry) is { } entry && query.Wants(entry))
                {
                    found.Add(entry);
                    if (found.Count == count)
                    {
                        return (found, null);
                    }
                }
            }

            if (read.Length < PageSize)
            {
                return (found, null);
            }
        }

        return (found, before);
    }
}
