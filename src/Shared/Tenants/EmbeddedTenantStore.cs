using Bff.Audit;

namespace Bff.Tenants;

/// <summary>Of a single instance; gone with it.</summary>
internal sealed class EmbeddedTenantStore(IAuditLog audit) : ITenantStore
{
    private readonly Lock _lock = new();
    private readonly SortedList<string, byte[]> _tenants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _domains = new(StringComparer.Ordinal);

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
            var known = _tenants.GetValueOrDefault(change.Id);
            if (!known.AsSpan().SequenceEqual(change.Before) || known is null != change.Before is null)
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
        }

        await audit.Add(change.Audit, cancellation);
        Changed?.Invoke(change.Id);
        return TenantWrite.Done;
    }
}
