namespace Bff.Idempotency;

/// <summary>The group of requests among which a key is unique.</summary>
public enum IdempotencyScope
{
    /// <summary>The caller's own requests: tenant and subject.</summary>
    Caller,

    /// <summary>
    /// The requests of all credentials of a tenant, with live and test apart. So a key survives the rotation of an API key.
    /// </summary>
    Tenant,
}

/// <summary>A host's options for keyed requests.</summary>
public sealed class IdempotencyOptions
{
    /// <summary>How long a key is remembered. Default: 24 h.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long a lock outlives the process that holds it. Renewed after a third of that time. Default: 10 s.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The group of requests among which a key is unique.</summary>
    public IdempotencyScope Scope { get; set; }
}
