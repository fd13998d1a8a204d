using Microsoft.Extensions.Logging;

namespace Bff.Audit;

/// <summary>Logs one line of category <c>Bff.Audit</c> for each change.</summary>
internal sealed partial class AuditLines(ILoggerFactory logging)
{
    private readonly ILogger _logger = logging.CreateLogger("Bff.Audit");

    public void Write(IEnumerable<AuditEntry> entries)
    {
        foreach (var entry in entries)
        {
            LogChange(
                _logger,
                entry.Action,
                entry.Target,
                entry.Tenant ?? "-",
                entry.Actor,
                entry.RequestId ?? "-",
                entry.Id,
                entry.Before?.ToString() ?? "-",
                entry.After?.ToString() ?? "-"
            );
        }
    }

    [LoggerMessage(
        2101,
        LogLevel.Information,
        "{Action} of {Target}, tenant {Tenant}, by {Actor} with request {RequestId} (entry {Entry}): {Before} became {After}",
        EventName = "Audit"
    )]
    private static partial void LogChange(
        ILogger logger,
        string action,
        string target,
        string tenant,
        string actor,
        string requestId,
        string entry,
        string before,
        string after
    );
}
