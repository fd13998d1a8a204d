using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>The plans that a host ships with, and the rule that determines a caller's plan.</summary>
public enum PlanFamily
{
    /// <summary>
    /// Mobile and web: <c>anonymous</c>, <c>free</c>, <c>premium</c>, <c>enterprise</c>. The highest plan among the caller's roles and the
    /// tenant's plan applies.
    /// </summary>
    Users,

    /// <summary>
    /// Partners: <c>free</c>, <c>pro</c>, <c>enterprise</c>. The tenant's plan applies. Callers need a configured tenant.
    /// </summary>
    Partner,
}

/// <summary>The plans that hosts ship with. <c>Plans:&lt;name&gt;</c> overrides single values or adds plans.</summary>
internal static class ShippedPlans
{
    public const string Anonymous = "anonymous";
    public const string Free = "free";

    private static readonly Plan AnonymousPlan = new()
    {
        Name = Anonymous,
        RequestsPerMinute = 60,
        Burst = 30,
    };

    public static IReadOnlyList<Plan> Of(PlanFamily family) => family == PlanFamily.Partner ? Partner : Users;

    private static readonly Plan[] Users =
    [
        AnonymousPlan,
        new()
        {
            Name = Free,
            RequestsPerMinute = 60,
            Burst = 30,
        },
        new()
        {
            Name = "premium",
            RequestsPerMinute = 600,
            Burst = 120,
        },
        new()
        {
            Name = "enterprise",
            RequestsPerMinute = 6_000,
            Burst = 1_000,
        },
    ];

    private static readonly Plan[] Partner =
    [
        AnonymousPlan, // For public pages, by client address.
        new()
        {
            Name = Free,
            RequestsPerMinute = 100,
            Burst = 20,
            RequestsPerDay = 10_000,
            MaxPayloadBytes = 256 * 1024,
            IsReadOnly = true,
            OnStoreFailure = StoreFailure.Reject,
        },
        new()
        {
            Name = "pro",
            RequestsPerMinute = 5_000,
            Burst = 500,
            RequestsPerDay = 1_000_000,
            MaxPayloadBytes = 5 * 1024 * 1024,
            OnStoreFailure = StoreFailure.Reject,
        },
        new()
        {
            Name = "enterprise",
            RequestsPerMinute = 50_000,
            Burst = 1_000,
            MaxPayloadBytes = 50 * 1024 * 1024,
            OnStoreFailure = StoreFailure.Reject,
        },
    ];
}
