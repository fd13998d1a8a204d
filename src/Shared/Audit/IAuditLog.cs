using Bff.State;

namespace Bff.Audit;

/// <summary>Selects entries. A null member selects any value.</summary>
/// <param name="Tenant">The tenant that owns the changed objects.</param>
/// <param name="Actor">The actor who made the changes.</param>
/// <param name="Action">The kind of change.</param>
/// <param name="Since">The earliest time.</param>
public sealed record AuditQuery(string? Tenant = null, string? Actor = null, string? Action = null, DateTimeOffset? Since = null)
{
    /// <summary>The lowest id of entries since that time. An id sorts after the time that it begins with.</summary>
    internal string? FirstId =>
        Since is { } since
            ? "aud_" + Math.Max(0, since.ToUnixTimeMilliseconds()).ToString("x12", System.Globalization.CultureInfo.InvariantCulture)
            : null;

    internal bool Wants(AuditEntry entry) =>
        (Tenant is null || entry.Tenant == Tenant)
        && (Actor is null || entry.Actor == Actor)
        && (Action is null || entry.Action == Action)
        && !(entry.At < Since);
}

/// <summary>
/// The log of changes and who made them, newest first. Section <c>Audit</c> limits its age and size. An entry is written in the same step
/// as its change, in the store that is changed: see <see cref="AuditOutbox"/>.
/// </summary>
public interface IAuditLog
{
    /// <summary>Adds entries. With Redis, this is for changes that no script makes.</summary>
    /// <exception cref="StoreUnavailableException">Redis is unavailable.</exception>
    Task Add(IReadOnlyList<AuditEntry> entries, CancellationToken cancellation);

    /// <summary>Returns entries older than a given one, newest first.</summary>
    /// <param name="query">Selects the entries.</param>
    /// <param name="before">The id of the given entry; null to start with the newest.</param>
    /// <param name="count">Maximum number of entries.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The entries. When the search ended before the log did, also the id of the last entry that was examined, to continue
    /// from.</returns>
    /// <exception cref="StoreUnavailableException">Redis is unavailable.</exception>
    Task<(IReadOnlyList<AuditEntry> Entries, string? Next)> Read(
        AuditQuery query,
        string? before,
        int count,
        CancellationToken cancellation
    );
}

/// <summary>Writes audit entries for embedded stores.</summary>
public static class AuditNotes
{
    /// <summary>Adds the entries of a change, when there is a log and the change has entries.</summary>
    public static Task Note(this IAuditLog? log, IReadOnlyList<AuditEntry>? entries, CancellationToken cancellation) =>
        log is null || entries is null ? Task.CompletedTask : log.Add(entries, cancellation);
}
