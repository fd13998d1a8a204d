using Bff.Audit;
using Bff.State;

namespace Bff.Tenants;

/// <summary>Outcome of a write.</summary>
internal enum TenantWrite
{
    /// <summary>The change was written and announced.</summary>
    Done,

    /// <summary>Another change came first. Read again.</summary>
    Stale,

    /// <summary>Another tenant has the domain.</summary>
    DomainTaken,
}

/// <summary>A change of a tenant.</summary>
/// <param name="Id">The tenant's id.</param>
/// <param name="Before">The document expected in the store. Null: none.</param>
/// <param name="After">The new document. Null: none.</param>
/// <param name="Audit">Audit entries written in the same step.</param>
internal sealed record TenantChange(string Id, byte[]? Before, byte[]? After, IReadOnlyList<AuditEntry> Audit)
{
    /// <summary>A change of the tenant's plan change request in the same step. Null: none.</summary>
    public PlanStep? Plan { get; init; }

    /// <summary>Whether the tenant itself stays unchanged.</summary>
    public bool IsOfPlanAlone { get; init; }

    public string? DomainBefore => Domain(Before);

    public string? DomainAfter => Domain(After);

    private static string? Domain(byte[]? json) => json is null ? null : TenantDocument.ReadOrNull(json)?.CustomDomain?.ToLowerInvariant();
}

/// <summary>A change of a request for another plan.</summary>
/// <param name="Before">The request expected in the store. Null: none.</param>
/// <param name="After">The new request. Null: none.</param>
/// <param name="IsChange">Whether to notify the tenant with the event <c>plan.changed</c>.</param>
internal sealed record PlanStep(PlanChange? Before, PlanChange? After, bool IsChange = false);

/// <summary>
/// Stores the tenants that were created while hosts run, and their requests for other plans. Every member throws
/// <see cref="StoreUnavailableException"/> while Redis is away.
/// </summary>
internal interface ITenantStore
{
    /// <summary>Raised within a second after any instance changes a tenant, with its id. Null: any tenant may have changed.</summary>
    event Action<string?>? Changed;

    /// <summary>Whether a call would fail at once.</summary>
    bool IsKnownAway { get; }

    /// <summary>Returns the tenant's document. Null if it is not in the store.</summary>
    ValueTask<byte[]?> Find(string id, CancellationToken cancellation);

    /// <summary>Returns the owner of a domain (in lower case), and whether any tenant of the store has a domain.</summary>
    ValueTask<(string? Owner, bool Any)> FindByDomain(string domain, CancellationToken cancellation);

    /// <summary>Returns tenants after an id, in ordinal order.</summary>
    ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>> List(string? after, int count, CancellationToken cancellation);

    /// <summary>Returns the tenant's latest request for another plan, decided or not. Null if there is none.</summary>
    ValueTask<PlanChange?> FindPlanChange(string id, CancellationToken cancellation);

    /// <summary>Returns requests that wait for a decision, ordered by tenant, after a tenant.</summary>
    ValueTask<IReadOnlyList<PlanChange>> ListPlanChanges(string? after, int count, CancellationToken cancellation);

    /// <summary>Returns approved changes whose event is not in the event log yet.</summary>
    ValueTask<IReadOnlyList<PlanChange>> Untold(CancellationToken cancellation);

    /// <summary>Records that the event of a change is in the event log.</summary>
    ValueTask Told(PlanChange change, CancellationToken cancellation);

    /// <summary>Changes a tenant, in one step with its domain, its entries in the audit log and the announcement.</summary>
    ValueTask<TenantWrite> Write(TenantChange change, CancellationToken cancellation);
}
