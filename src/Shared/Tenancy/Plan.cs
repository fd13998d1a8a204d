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

    /// <summary>Cost units per minute with which a caller's bucket refills.</summary>
    [Setting(Min = 1, Max = BucketPolicy.Max, Default = "the shipped plan's; required for a new plan")]
    public required long RequestsPerMinute { get; init; }

    /// <summary>Cost units that a caller's full bucket holds.</summary>
    [Setting(Min = 1, Max = BucketPolicy.Max, Default = "the shipped plan's; required for a new plan")]
    public required long Burst { get; init; }

    /// <summary>Quota of a caller in cost units per UTC day.</summary>
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
        Meaning = "Endpoints that callers may use. `read-only` refuses operations whose scope ends in `.write` with `endpoint_not_in_plan`."
    )]
    public bool IsReadOnly { get; init; }

    /// <summary>
    /// What happens while Redis is unavailable. With <c>Local</c> each instance applies the limits on its own, with <c>Reject</c> it
    /// answers 503.
    /// </summary>
    [Setting(Default = "the shipped plan's, else `Local`")]
    public StoreFailure OnStoreFailure { get; init; }

    /// <summary>
    /// Whether requests above the daily quota are admitted and counted for billing. Needs <see cref="RequestsPerDay"/>.
    /// </summary>
    [Setting(Default = "the shipped plan's, else `false`")]
    public bool Overage { get; init; }

    /// <summary>
    /// With <see cref="Overage"/>: cost units per UTC day after which requests are refused. At least <see cref="RequestsPerDay"/>.
    /// </summary>
    [Setting(Min = 1, Max = MaxPerDay, Default = "twice `RequestsPerDay`")]
    public long? OverageCeiling { get; init; }

    /// <summary>Price of the plan, as text for people. It has no effect on requests.</summary>
    [Setting(Default = "none")]
    public string? Price { get; init; }

    /// <summary>Support that the plan includes, as text for people. It has no effect on requests.</summary>
    [Setting(Default = "none")]
    public string? Support { get; init; }

    /// <summary>Service level that the plan promises, as text for people. It has no effect on requests.</summary>
    [Setting(Default = "none")]
    public string? Sla { get; init; }

    /// <summary>The bucket of a caller on this plan.</summary>
    internal BucketPolicy Bucket =>
        field ??= new(BucketPolicy.BurstName, Burst, RequestsPerMinute, RequestsPerDay, Overage ? OverageCeiling : null);
}
