using System.Collections.Frozen;

namespace Bff.RateLimiting;

/// <summary>How the shared buckets are used.</summary>
internal enum LimitMode
{
    /// <summary>Every request asks the store.</summary>
    Exact,

    /// <summary>Instances take small leases and spend them without asking.</summary>
    Leased,
}

/// <summary>Section <c>Limits:Endpoints:&lt;name&gt;</c>.</summary>
/// <param name="Cost">Units that one request takes of caller and tenant.</param>
/// <param name="Bucket">A bucket of its own per caller, in requests; null: none.</param>
internal sealed record EndpointLimit(int Cost, BucketPolicy? Bucket)
{
    public static readonly EndpointLimit Default = new(1, null);
}

/// <summary>Plans, limits and tenants of one configuration; immutable, replaced as a whole.</summary>
internal sealed class LimitSettings
{
    public required PlanFamily Family { get; init; }

    public required LimitMode Mode { get; init; }

    public required FrozenDictionary<string, Plan> Plans { get; init; }

    public required FrozenDictionary<string, EndpointLimit> Endpoints { get; init; }

    public required FrozenDictionary<string, Tenant> Tenants { get; init; }

    public required FrozenDictionary<string, Tenant> TenantsByDomain { get; init; }

    public EndpointLimit Endpoint(string? name) => name is not null && Endpoints.TryGetValue(name, out var limit) ? limit : EndpointLimit.Default;
}
