using Bff.State;

namespace Bff.Audit;

/// <summary>Which entries are wanted; null: any.</summary>
/// <param name="Tenant">Whose things were changed.</param>
/// <param name="Actor">Who changed them.</param>
/// <param name="Action">How.</param>
/// <param name="Since">The earliest.</param>
public sealed record AuditQuery(string? Tenant = null, string? Actor = null, string? Action = null, DateTimeOffset? Since = null)
{
    /// <summary>Where the entries since then begin: an id sorts behind the time that it begins with.</summary>
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
/// Who changed what, newest first, for as long and as many as section <c>Audit</c> says. An entry comes to be in the same step as its
/// change, in the store that is changed: see <see cref="AuditOutbox"/>.
/// </summary>
public interface IAuditLog
{
    /// <summary>Adds entries. With Redis, of changes that no script makes.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task Add(IReadOnlyList<AuditEntry> entries, CancellationToken cancellation);

    /// <summary>Entries older than one of them, newest first.</summary>
    /// <param name="query">Which.</param>
    /// <param name="before">The id of the one; null: from the newest on.</param>
    /// <param name="count">At most so many.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>The entries, and from where to go on when the search ended before the log did: with the last entry that was looked
    /// at.</returns>
    /// <exception cref="StoreUnavailableException">Redis is away.</exception>
    Task<(IReadOnlyList<AuditEntry> Entries, string? Next)> Read(
        AuditQuery query,
        string? before,
        int count,
        CancellationToken cancellation
    );
}

/// <summary>The log as embedded stores write it.</summary>
public static class AuditNotes
{
    /// <summary>Adds the entries of a change, where there is a log and the change has any.</summary>
    public static Task Note(this IAuditLog? log, IReadOnlyList<AuditEntry>? entries, CancellationToken cancellation) =>
        log is null || entries is null ? Task.CompletedTask : log.Add(entries, cancellation);
}
