using Bff.Configuration;

namespace Bff.RateLimiting;

/// <summary>Tenants and plans of the configuration in force.</summary>
internal sealed class Tenants(Reloadable<LimitSettings> settings) : ITenants
{
    public IReadOnlyCollection<Tenant> All => settings.Current.Tenants.Values;

    public Tenant? Find(string? id) => id is null ? null : settings.Current.Tenants.GetValueOrDefault(id);

    public Tenant? FindByDomain(string host) => settings.Current.TenantsByDomain.GetValueOrDefault(host);
}
