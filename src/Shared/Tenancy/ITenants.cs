using Microsoft.AspNetCore.Http;

namespace Bff.Tenancy;

/// <summary>Looks up tenants, first in the store, then in the current configuration.</summary>
public interface ITenants
{
    /// <summary>
    /// Raised with the id of a tenant that has changed in the store. Null: any tenant or the configuration may have changed.
    /// </summary>
    event Action<string?>? Changed;

    /// <summary>
    /// Returns the tenant of a credential. Null if there is none or it is not known here. Completes synchronously if the tenant is cached.
    /// While the store is away and nothing is known of the tenant, partners get the store's exception, and users get null.
    /// </summary>
    ValueTask<Tenant?> Find(string? id, CancellationToken cancellation = default);

    /// <summary>
    /// Returns the id of the tenant whose domain is the request's host name, or null. Costs nothing while no tenant has a domain.
    /// </summary>
    ValueTask<string?> OwnerOf(HttpContext context);

    /// <summary>Returns the tenant as this instance knows it, without asking the store. Null if it is not known.</summary>
    Tenant? Recall(string id);
}
