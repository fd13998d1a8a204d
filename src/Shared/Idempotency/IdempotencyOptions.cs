namespace Bff.Idempotency;

/// <summary>Among whose requests a key is unique.</summary>
public enum IdempotencyScope
{
    /// <summary>The caller's own: tenant and subject.</summary>
    Caller,

    /// <summary>All credentials of a tenant together, live and test apart; so that a key survives the rotation of an API key.</summary>
    Tenant,
}

/// <summary>What a host decides about keyed requests.</summary>
public sealed class IdempotencyOptions
{
    /// <summary>How long a key is remembered: 24 h.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long a lock outlives the process that holds it; renewed at a third of it. 10 s.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Among whose requests a key is unique.</summary>
    public IdempotencyScope Scope { get; set; }
}
