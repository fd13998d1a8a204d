using System.Collections.Frozen;
using Bff.Configuration;
using Bff.Tenancy;

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
[Settings("Limits:Endpoints:<name>")]
internal sealed record EndpointLimit
{
    public static readonly EndpointLimit Default = new();

    /// <summary>Cost units that one request takes from the buckets of the caller and the tenant.</summary>
    [Setting(Min = 1, Max = 1_000_000, Default = "1; `search`: 2")]
    public int Cost { get; init; } = 1;

    /// <summary>The endpoint's own bucket for each caller, in requests. Null: none.</summary>
    [Setting(
        Key = "RequestsPerMinute",
        Range = BucketSettings.RateRange,
        Default = "none",
        Meaning = "Requests to this endpoint that each caller may send per minute, in addition to the plan's limits."
    )]
    [Setting(
        Key = "Burst",
        Range = BucketSettings.RateRange,
        Default = "`RequestsPerMinute`",
        Meaning = "Requests to this endpoint that each caller may send in a burst."
    )]
    public BucketPolicy? Bucket { get; init; }
}

/// <summary>Plans, limits and tenants of one configuration. Immutable; replaced as a whole.</summary>
[Settings("Limits")]
internal sealed record LimitSettings
{
    public required PlanFamily Family { get; init; }

    /// <summary>
    /// <c>Exact</c> asks Redis on every request. <c>Leased</c> takes small leases from the same buckets and spends them without a round
    /// trip.
    /// </summary>
    [Setting]
    public LimitMode Mode { get; init; }

    public required FrozenDictionary<string, Plan> Plans { get; init; }

    public required FrozenDictionary<string, EndpointLimit> Endpoints { get; init; }

    /// <summary>Names of the upstreams for which a tenant may have a dedicated one.</summary>
    public required FrozenSet<string> Upstreams { get; init; }

    public required FrozenDictionary<string, Tenant> Tenants { get; init; }

    public required FrozenDictionary<string, Tenant> TenantsByDomain { get; init; }

    public EndpointLimit Endpoint(string? name) =>
        name is not null && Endpoints.TryGetValue(name, out var limit) ? limit : EndpointLimit.Default;
}
