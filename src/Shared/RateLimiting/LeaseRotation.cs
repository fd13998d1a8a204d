using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// An instance's turn among the instances that share the buckets. An empty bucket refills one lease at a time, and each lease goes to the
/// instance whose turn it is by the store's clock. So every lease is asked for once, as a whole, and stays in the bucket no longer than
/// until that turn.
/// </summary>
/// <param name="Index">The instance's position, from 0.</param>
/// <param name="Of">Number of instances; at least 1.</param>
internal sealed record LeaseRotation(int Index, int Of)
{
    /// <summary>
    /// Number of turns. A lease is 5 % of its bucket, so with more turns the bucket could be full before every instance had one. Beyond
    /// this number, several instances share a turn.
    /// </summary>
    private const int Most = 10;

    private const long Second = 1_000_000;

    public static LeaseRotation Alone { get; } = new(0, 1);

    /// <summary>Returns the microseconds until this instance's turn. At most 1 s, which is the smallest Retry-After.</summary>
    public long MicrosUntil(BucketPolicy policy, long nowMicros)
    {
        var lease = Math.Max(1, policy.MicrosUntil(policy.LeaseMax * BucketPolicy.UnitsPerToken, 0));
        var round = Math.Min(Of, Most) * lease;
        var at = (nowMicros - (Index % Most * lease)) % round;
        return Math.Min(Second, round - at);
    }
}
