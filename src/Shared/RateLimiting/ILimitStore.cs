using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>What is asked of one bucket. All of a call's buckets give what they must, or none gives anything.</summary>
/// <param name="Key">Names the bucket; all of a call share one hash tag.</param>
/// <param name="Policy">Its size and speed.</param>
/// <param name="Need">Tokens that must be there, or the call is refused.</param>
/// <param name="Want">Tokens to take, as far as they are there.</param>
/// <param name="Back">Tokens of an earlier lease that come back, whatever becomes of the call.</param>
/// <param name="BackDay">The UTC day (since 1970) in which these were taken: yesterday's do not enlarge today's quota.</param>
internal readonly record struct LevelDemand(string Key, BucketPolicy Policy, long Need, long Want, long Back = 0, long BackDay = 0);

/// <summary>A bucket after a call.</summary>
/// <param name="Taken">Tokens taken; 0 when the call was refused.</param>
/// <param name="Units">What is left, in <see cref="BucketPolicy.UnitsPerToken"/>.</param>
/// <param name="Used">The day's tokens so far.</param>
internal readonly record struct LevelState(long Taken, long Units, long Used);

/// <summary>The answer to one call.</summary>
/// <param name="NowMicros">The store's clock: microseconds since 1970.</param>
/// <param name="IsAdmitted">Whether every bucket had what was needed.</param>
/// <param name="Levels">One per demand.</param>
internal readonly record struct StoreAnswer(long NowMicros, bool IsAdmitted, LevelState[] Levels);

/// <summary>Token buckets with the day's quota; decides several at once.</summary>
internal interface ILimitStore
{
    /// <summary>Known to be away: asking would only throw.</summary>
    bool IsAway { get; }

    /// <summary>Takes tokens of all buckets or of none.</summary>
    /// <param name="tag">The hash tag of the buckets' keys; overage is counted under it.</param>
    /// <param name="levels">The buckets; at least one.</param>
    /// <exception cref="State.StoreUnavailableException">The store is away; whether anything was taken is unknown.</exception>
    ValueTask<StoreAnswer> Take(string tag, LevelDemand[] levels);

    /// <summary>Counts an instance among those that take leases, for three seconds.</summary>
    /// <param name="instance">Its name, of its own making.</param>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    ValueTask<LeaseRotation> Join(string instance);

    /// <summary>Tokens taken beyond the day's quota, per UTC day, of all callers under the tag.</summary>
    /// <exception cref="State.StoreUnavailableException">The store is away.</exception>
    ValueTask<IReadOnlyDictionary<DateOnly, long>> Overage(string tag);
}
