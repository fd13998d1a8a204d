using Microsoft.AspNetCore.Http;

namespace Bff.Tenancy;

/// <summary>Looks up tenants: those of the store, then those of the configuration in force.</summary>
public interface ITenants
{
    /// <summary>
    /// Raised with the id of a tenant that has changed in the store; null: any may have, or the configuration has changed.
    /// </summary>
    event Action<string?>? Changed;

    /// <summary>
    /// The tenant of a credential; null when there is none or it is not known here. Completes synchronously when it is remembered, and
    /// throws the store's exception when the store is away and nothing is known of the tenant.
    /// </summary>
    ValueTask<Tenant?> Find(string? id, CancellationToken cancellation = default);

    /// <summary>The tenant whose domain the request's host name is; null: none's. Costs nothing while no tenant has a domain.</summary>
    ValueTask<string?> OwnerOf(HttpContext context);

    /// <summary>The tenant as this instance knows it without asking the store; null when it does not.</summary>
    Tenant? Recall(string id);
}
