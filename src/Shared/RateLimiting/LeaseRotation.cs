using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// Which of the instances that share the buckets one is. An empty bucket refills a lease after the other, and each goes to the instance
/// that is next by the store's clock: so every lease is asked for once, whole, and lies unspent no longer than until then.
/// </summary>
/// <param name="Index">From 0.</param>
/// <param name="Of">How many there are; at least 1.</param>
internal sealed record LeaseRotation(int Index, int Of)
{
    /// <summary>
    /// With more of them the bucket would be full before all have been next (a lease is 5 % of it): then several share one.
    /// </summary>
    private const int Most = 10;

    private const long Second = 1_000_000;

    public static LeaseRotation Alone { get; } = new(0, 1);

    /// <summary>Microseconds until this instance is next; at most 1 s, which is the least Retry-After.</summary>
    public long MicrosUntil(BucketPolicy policy, long nowMicros)
    {
        var lease = Math.Max(1, policy.MicrosUntil(policy.LeaseMax * BucketPolicy.UnitsPerToken, 0));
        var round = Math.Min(Of, Most) * lease;
        var at = (nowMicros - (Index % Most * lease)) % round;
        return Math.Min(Second, round - at);
    }
}
