using Bff.Audit;

namespace Bff.Tenants;

/// <summary>Stores the tenants of a single instance in memory.</summary>
internal sealed class EmbeddedTenantStore(IAuditLog audit) : ITenantStore
{
    private readonly Lock _lock = new();
    private readonly SortedList<string, byte[]> _tenants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _domains = new(StringComparer.Ordinal);
    private readonly SortedList<string, PlanChange> _plans = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlanChange> _untold = new(StringComparer.Ordinal);

    public event Action<string?>? Changed;

    public bool IsKnownAway => false;

    public ValueTask<byte[]?> Find(string id, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return new(_tenants.GetValueOrDefault(id));
        }
    }

    public ValueTask<(string? Owner, bool Any)> FindByDomain(string domain, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return new((_domains.GetValueOrDefault(domain), _domains.Count > 0));
        }
    }

    public ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>> List(string? after, int count, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return new([.. _tenants.SkipWhile(t => after is not null && string.CompareOrdinal(t.Key, after) <= 0).Take(count)]);
        }
    }

    public async ValueTask<TenantWrite> Write(TenantChange change, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (change.Plan is { } asked && _plans.GetValueOrDefault(change.Id) != asked.Before)
            {
                return TenantWrite.Stale;
            }

            if (!change.IsOfPlanAlone && WriteTenant(change) is not TenantWrite.Done and var refused)
            {
                return refused;
            }

            WritePlan(change);
        }

        await audit.Add(change.Audit, cancellation);
        if (!change.IsOfPlanAlone)
        {
            Changed?.Invoke(change.Id);
        }

        return TenantWrite.Done;
    }

    public ValueTask<PlanChange?> FindPlanChange(string id, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return new(_plans.GetValueOrDefault(id));
        }
    }

    public ValueTask<IReadOnlyList<PlanChange>> ListPlanChanges(string? after, int count, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return new([
                .. _plans
                    .Values.Where(p =>
                        p.Status == PlanChangeStatus.Pending && (after is null || string.CompareOrdinal(p.Tenant, after) > 0)
                    )
                    .Take(count),
            ]);
        }
    }

    public ValueTask<IReadOnlyList<PlanChange>> Untold(CancellationToken cancellation)
    {
        lock (_lock)
        {
            return new([.. _untold.Values]);
        }
    }

    public ValueTask Told(PlanChange change, CancellationToken cancellation)
    {
        lock (_lock)
        {
            _untold.Remove(change.Id);
        }

        return default;
    }

    private TenantWrite WriteTenant(TenantChange change)
    {
        var known = _tenants.GetValueOrDefault(change.Id);
        if (known is null != change.Before is null || !known.AsSpan().SequenceEqual(change.Before))
        {
            return TenantWrite.Stale;
        }

        if (change.DomainAfter is { } domain && _domains.TryGetValue(domain, out var owner) && owner != change.Id)
        {
            return TenantWrite.DomainTaken;
        }

        if (change.DomainBefore is { } former)
        {
            _domains.Remove(former);
        }

        if (change.DomainAfter is { } current)
        {
            _domains[current] = change.Id;
        }

        if (change.After is { } document)
        {
            _tenants[change.Id] = document;
        }
        else
        {
            _tenants.Remove(change.Id);
        }

        return TenantWrite.Done;
    }

    private void WritePlan(TenantChange change)
    {
        if (change.Plan is not { } plan)
        {
            return;
        }

        if (plan.After is not { } after)
        {
            _plans.Remove(change.Id);
            return;
        }

        _plans[change.Id] = after;
        if (plan.IsChange)
        {
            _untold[after.Id] = after;
        }
    }
}
