using Bff.Configuration;

namespace Bff.Tenancy;

/// <summary>The treatment of a plan's requests while the shared store is away.</summary>
public enum StoreFailure
{
    /// <summary>Each instance limits by itself, with buckets of the same plan.</summary>
    Local,

    /// <summary>Requests get 503 <c>store_unavailable</c>.</summary>
    Reject,
}

/// <summary>The entitlements of a caller: section <c>Plans:&lt;name&gt;</c>.</summary>
[Settings("Plans:<name>")]
public sealed record Plan
{
    private const long MaxPerDay = 1_000_000_000_000;

    /// <summary>Name of the plan: the key of the section.</summary>
    public required string Name { get; init; }

    /// <summary>Cost units that refill per minute.</summary>
    [Setting(Min = 1, Max = BucketPolicy.Max, Default = "the shipped plan's; required of a new one")]
    public required long RequestsPerMinute { get; init; }

    /// <summary>Cost units that a full bucket holds.</summary>
    [Setting(Min = 1, Max = BucketPolicy.Max, Default = "the shipped plan's; required of a new one")]
    public required long Burst { get; init; }

    /// <summary>Cost units per UTC day.</summary>
    [Setting(Min = 1, Max = MaxPerDay, Default = "the shipped plan's, else unlimited")]
    public long? RequestsPerDay { get; init; }

    /// <summary>Largest request body in bytes.</summary>
    [Setting(Min = 1, Max = 1L << 40, Default = "the shipped plan's, else the host's own limit")]
    public long? MaxPayloadBytes { get; init; }

    /// <summary>Whether writes of the domain (scopes ending in <c>.write</c>) are refused with <c>endpoint_not_in_plan</c>.</summary>
    [Setting(
        Key = "Endpoints",
        Range = "one of all, read-only",
        Default = "the shipped plan's, else `all`",
        Meaning = "`read-only` refuses writes of the domain with `endpoint_not_in_plan`."
    )]
    public bool IsReadOnly { get; init; }

    /// <summary>While Redis is away: <c>Local</c> limits in each instance, <c>Reject</c> answers 503.</summary>
    [Setting(Default = "the shipped plan's, else `Local`")]
    public StoreFailure OnStoreFailure { get; init; }

    /// <summary>Admits past the day's quota and counts what is to be billed; needs <see cref="RequestsPerDay"/>.</summary>
    [Setting(Default = "the shipped plan's, else `false`")]
    public bool Overage { get; init; }

    /// <summary>
    /// With <see cref="Overage"/>: cost units per UTC day at which admission ends after all; at least <see cref="RequestsPerDay"/>.
    /// </summary>
    [Setting(Min = 1, Max = MaxPerDay, Default = "twice `RequestsPerDay`")]
    public long? OverageCeiling { get; init; }

    /// <summary>For people.</summary>
    [Setting(Default = "none")]
    public string? Price { get; init; }

    /// <summary>For people.</summary>
    [Setting(Default = "none")]
    public string? Support { get; init; }

    /// <summary>For people.</summary>
    [Setting(Default = "none")]
    public string? Sla { get; init; }

    /// <summary>The bucket of a caller on this plan.</summary>
    internal BucketPolicy Bucket =>
        field ??= new(BucketPolicy.BurstName, Burst, RequestsPerMinute, RequestsPerDay, Overage ? OverageCeiling : null);
}
