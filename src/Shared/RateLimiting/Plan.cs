namespace Bff.RateLimiting;

/// <summary>What happens to a plan's requests while the shared store is away.</summary>
public enum StoreFailure
{
    /// <summary>Each instance limits by itself, with buckets of the same plan.</summary>
    Local,

    /// <summary>503 <c>store_unavailable</c>.</summary>
    Reject,
}

/// <summary>What a caller is entitled to: section <c>Plans:&lt;name&gt;</c>.</summary>
public sealed record Plan
{
    /// <summary>Key of the section.</summary>
    public required string Name { get; init; }

    /// <summary>Cost units that refill per minute; 1 or more.</summary>
    public required long RequestsPerMinute { get; init; }

    /// <summary>Cost units that a full bucket holds; 1 or more.</summary>
    public required long Burst { get; init; }

    /// <summary>Cost units per UTC day; null: unlimited.</summary>
    public long? RequestsPerDay { get; init; }

    /// <summary>Largest request body in bytes; null: the host's own limit.</summary>
    public long? MaxPayloadBytes { get; init; }

    /// <summary>Writes of the domain (scopes ending in <c>.write</c>) are refused with <c>endpoint_not_in_plan</c>.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>While the shared store is away.</summary>
    public StoreFailure OnStoreFailure { get; init; }

    /// <summary>Admits past the day's quota and counts what is to be billed.</summary>
    public bool Overage { get; init; }

    /// <summary>With <see cref="Overage"/>: cost units per UTC day at which admission ends after all; at least <see cref="RequestsPerDay"/>.</summary>
    public long? OverageCeiling { get; init; }

    /// <summary>For people.</summary>
    public string? Price { get; init; }

    /// <summary>For people.</summary>
    public string? Support { get; init; }

    /// <summary>For people.</summary>
    public string? Sla { get; init; }

    /// <summary>The bucket of a caller on this plan.</summary>
    internal BucketPolicy Bucket => field ??= new(BucketPolicy.BurstName, Burst, RequestsPerMinute, RequestsPerDay, Overage ? OverageCeiling : null);
}
