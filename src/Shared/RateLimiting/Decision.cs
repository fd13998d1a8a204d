using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>Outcome of a decision.</summary>
internal enum DecisionOutcome
{
    Admitted,
    Refused,

    /// <summary>The store is unavailable, and the plan then refuses everybody.</summary>
    Unavailable,
}

/// <summary>The source of a decision.</summary>
internal enum DecisionSource
{
    Store,
    Lease,
    Local,
}

/// <summary>Why a request was refused, and for how long.</summary>
internal sealed record Refusal(long Limit, long WindowSeconds, long RetryAfterSeconds, string[] Violated, bool IsQuota);

/// <summary>
/// A decision, with the values of the tightest bucket for the headers, and the number of spent tokens that were beyond the day's quota. A
/// decision on a lease does not account for tokens that other instances hold.
/// </summary>
internal readonly record struct Decision(
    DecisionOutcome Outcome,
    DecisionSource Source,
    BucketPolicy? Tightest,
    bool IsDaily,
    long Remaining,
    long ResetSeconds,
    long Overage,
    Refusal? Refusal
)
{
    public static readonly Decision Unavailable = new(DecisionOutcome.Unavailable, DecisionSource.Store, null, false, 0, 0, 0, null);
}

/// <summary>Combines the states of the levels into a decision. Lives on the stack.</summary>
internal ref struct DecisionBuilder
{
    private BucketPolicy? _tightest;
    private bool _isDaily;
    private long _left;
    private long _remaining;
    private long _resetSeconds;
    private long _overage;
    private List<string>? _violated;
    private (long Limit, long Window, long RetryAfter) _worst;
    private bool _isQuota;

    /// <summary>Adds the state of one level: after spending, or untouched if the request was refused.</summary>
    /// <param name="policy">The level's bucket.</param>
    /// <param name="units">Units left in the bucket.</param>
    /// <param name="used">Tokens used so far on this day.</param>
    /// <param name="nowMicros">The time of <paramref name="units"/> and <paramref name="used"/>.</param>
    /// <param name="spent">Tokens of <paramref name="used"/> that this request spent.</param>
    /// <param name="unmet">Tokens that the request needed. 0 if it was admitted.</param>
    public void Add(BucketPolicy policy, long units, long used, long nowMicros, long spent, long unmet)
    {
        var remaining = Math.Max(0, units / BucketPolicy.UnitsPerToken);
        if (_tightest is null || remaining < _left)
        {
            (_tightest, _isDaily, _left, _remaining) = (policy, false, remaining, remaining);
            _resetSeconds = Seconds(policy.MicrosUntil(policy.CapacityUnits, units));
        }

        if (remaining < unmet)
        {
            Violate(
                policy.Name,
                policy.Burst,
                policy.WindowSeconds,
                Seconds(policy.MicrosUntil(unmet * BucketPolicy.UnitsPerToken, units))
            );
        }

        if (policy.Ceiling is not { } ceiling)
        {
            return;
        }

        _overage += Math.Clamp(used - policy.PerDay!.Value, 0, spent);
        var dayLeft = Math.Max(0, ceiling - used);
        var untilMidnight = Seconds(BucketPolicy.MicrosPerDay - (nowMicros % BucketPolicy.MicrosPerDay));
        if (dayLeft < _left)
        {
            (_tightest, _isDaily, _left, _remaining) = (policy, true, dayLeft, Math.Max(0, policy.PerDay.Value - used));
            _resetSeconds = untilMidnight;
        }

        if (dayLeft < unmet)
        {
            _isQuota = true;
            Violate(BucketPolicy.DailyName, ceiling, 86_400, untilMidnight);
        }
    }

    public readonly Decision Admitted(DecisionSource source) =>
        new(DecisionOutcome.Admitted, source, _tightest, _isDaily, _remaining, _resetSeconds, _overage, null);

    /// <summary>Returns a refusal. The limit and window named in it are those of the level that makes the client wait longest.</summary>
    public readonly Decision Refused(DecisionSource source) =>
        new(
            DecisionOutcome.Refused,
            source,
            _tightest,
            _isDaily,
            _remaining,
            _resetSeconds,
            0,
            new(_worst.Limit, _worst.Window, Math.Max(1, _worst.RetryAfter), _violated?.ToArray() ?? [_tightest!.Name], _isQuota)
        );

    private static long Seconds(long micros) => (micros + 999_999) / 1_000_000;

    private void Violate(string name, long limit, long window, long retryAfter)
    {
        (_violated ??= []).Add(name);
        if (_violated.Count == 1 || retryAfter > _worst.RetryAfter)
        {
            _worst = (limit, window, retryAfter);
        }
    }
}
