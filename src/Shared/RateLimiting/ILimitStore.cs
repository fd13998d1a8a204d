using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>A request to one bucket. Either all buckets of a call have the tokens they need, or none gives any.</summary>
/// <param name="Key">Name of the bucket. All buckets of a call share one hash tag.</param>
/// <param name="Policy">Capacity and refill rate.</param>
/// <param name="Need">Tokens that must be available; otherwise the call is refused.</param>
/// <param name="Want">Tokens to take, as far as they are available.</param>
/// <param name="Back">Tokens of an earlier lease that are given back, whatever the outcome of the call.</param>
/// <param name="BackDay">UTC day (since 1970) on which these tokens were taken. Yesterday's tokens do not enlarge today's quota.</param>
internal readonly record struct LevelDemand(string Key, BucketPolicy Policy, long Need, long Want, long Back = 0, long BackDay = 0);

/// <summary>State of a bucket after a call.</summary>
/// <param name="Taken">Tokens taken. 0 if the call was refused.</param>
/// <param name="Units">Units left, in <see cref="BucketPolicy.UnitsPerToken"/>.</param>
/// <param name="Used">Tokens used so far on this day.</param>
internal readonly record struct LevelState(long Taken, long Units, long Used);

/// <summary>Answer to one call.</summary>
/// <param name="NowMicros">The store's clock in microseconds since 1970.</param>
/// <param name="IsAdmitted">Whether every bucket had the tokens it needed.</param>
/// <param name="Levels">One state per demand.</param>
internal readonly record struct StoreAnswer(long NowMicros, bool IsAdmitted, LevelState[] Levels);

/// <summary>Stores token buckets with a daily quota, and decides several at once.</summary>
internal interface ILimitStore
{
    /// <summary>Whether the store is known to be away, so that a call would only throw.</summary>
    bool IsAway { get; }

    /// <summary>Takes tokens from all buckets or from none.</summary>
    /// <param name="tag">The hash tag of the buckets' keys. Overage is counted under it.</param>
    /// <param name="levels">The buckets; at least one.</param>
    /// <exception cref="State.StoreUnavailableException">The store is away. Whether tokens were taken is unknown.</exception>
    ValueTask<StoreAnswer> Take(string tag, LevelDemand[] levels);

    /// <summary>Counts an instance among those that take leases, for three seconds.</summary>
    /// <param name="instance">A name that the instance has chosen.</param>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    ValueTask<LeaseRotation> Join(string instance);

    /// <summary>Returns the tokens that all callers under the tag took beyond the day's quota, per UTC day.</summary>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    ValueTask<IReadOnlyDictionary<DateOnly, long>> Overage(string tag);
}
