using Bff.Audit;
using Bff.State;

namespace Bff.Tenants;

/// <summary>What becomes of a write.</summary>
internal enum TenantWrite
{
    /// <summary>It is written and announced.</summary>
    Done,

    /// <summary>Another change was faster: read again.</summary>
    Stale,

    /// <summary>Another tenant has the domain.</summary>
    DomainTaken,
}

/// <summary>A change of a tenant.</summary>
/// <param name="Id">Which.</param>
/// <param name="Before">What is to be there; null: nothing.</param>
/// <param name="After">What is to be there then; null: nothing.</param>
/// <param name="Audit">Written in the same step.</param>
internal sealed record TenantChange(string Id, byte[]? Before, byte[]? After, IReadOnlyList<AuditEntry> Audit)
{
    /// <summary>A change of the tenant's request for another plan, in the same step; null: none.</summary>
    public PlanStep? Plan { get; init; }

    /// <summary>Whether the tenant itself stays as it is.</summary>
    public bool IsOfPlanAlone { get; init; }

    public string? DomainBefore => Domain(Before);

    public string? DomainAfter => Domain(After);

    private static string? Domain(byte[]? json) => json is null ? null : TenantDocument.ReadOrNull(json)?.CustomDomain?.ToLowerInvariant();
}

/// <summary>A change of a request for another plan.</summary>
/// <param name="Before">The request that is to be there; null: none.</param>
/// <param name="After">What is to be there then; null: nothing.</param>
/// <param name="IsChange">Whether the tenant is to be told with the event <c>plan.changed</c>.</param>
internal sealed record PlanStep(PlanChange? Before, PlanChange? After, bool IsChange = false);

/// <summary>
/// The tenants that were made while hosts run, and their requests for other plans. Every member throws
/// <see cref="StoreUnavailableException"/> while Redis is away.
/// </summary>
internal interface ITenantStore
{
    /// <summary>Says within a second which tenant has changed, on whichever instance; null: any may have.</summary>
    event Action<string?>? Changed;

    /// <summary>Whether asking would fail at once.</summary>
    bool IsKnownAway { get; }

    /// <summary>The tenant's document; null when it is not in the store.</summary>
    ValueTask<byte[]?> Find(string id, CancellationToken cancellation);

    /// <summary>Whose domain the name (in lower case) is, and whether any tenant of the store has one.</summary>
    ValueTask<(string? Owner, bool Any)> FindByDomain(string domain, CancellationToken cancellation);

    /// <summary>Tenants after an id, in ordinal order.</summary>
    ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>> List(string? after, int count, CancellationToken cancellation);

    /// <summary>The tenant's latest request for another plan, decided or not; null: it never made one.</summary>
    ValueTask<PlanChange?> FindPlanChange(string id, CancellationToken cancellation);

    /// <summary>Requests that wait for a decision, by tenant, after a tenant.</summary>
    ValueTask<IReadOnlyList<PlanChange>> ListPlanChanges(string? after, int count, CancellationToken cancellation);

    /// <summary>Approved changes of which the event is not in the event log yet.</summary>
    ValueTask<IReadOnlyList<PlanChange>> Untold(CancellationToken cancellation);

    /// <summary>The event is in the log.</summary>
    ValueTask Told(PlanChange change, CancellationToken cancellation);

    /// <summary>Changes a tenant in one step with its domain, its entries in the audit log and the announcement.</summary>
    ValueTask<TenantWrite> Write(TenantChange change, CancellationToken cancellation);
}
