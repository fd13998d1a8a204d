using Bff.Requests;
using Bff.Tenancy;

namespace Bff.Admission;

/// <summary>How a request competes.</summary>
/// <param name="Priority">Under overload.</param>
/// <param name="Tenant">Whose it is, where <paramref name="TenantMaxConcurrency"/> is set.</param>
/// <param name="TenantMaxConcurrency">Requests that the tenant may have in flight in this instance; null: no limit of its own.</param>
public readonly record struct AdmissionClass(TenantPriority Priority, string? Tenant = null, int? TenantMaxConcurrency = null);

/// <summary>Says how a request competes; answers at once, without allocating.</summary>
public delegate AdmissionClass AdmissionClassifier(BffRequest request);
