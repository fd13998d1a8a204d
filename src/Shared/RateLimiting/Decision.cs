using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>What became of a request.</summary>
internal enum DecisionOutcome
{
    Admitted,
    Refused,

    /// <summary>The store is unavailable, and the plan admits no one then.</summary>
    Unavailable,
}

/// <summary>Who decided.</summary>
internal enum DecisionSource
{
    Store,
    Lease,
    Local,
}

/// <summary>Why a request was refused, and for how long.</summary>
internal sealed record Refusal(long Limit, long WindowSeconds, long RetryAfterSeconds, string[] Violated, bool IsQuota);

/// <summary>
/// A decision with what the headers say of the tightest bucket, and how many of the tokens that it spent were beyond the day's quota; on
/// lease that is right but for what other instances hold.
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

/// <summary>Gathers the levels' standings into a decision; lives on the stack.</summary>
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

    /// <summary>Adds one level as it stands (after spending, or untouched when refused).</summary>
    /// <param name="policy">Its bucket.</param>
    /// <param name="units">What is left in it.</param>
    /// <param name="used">The day's tokens so far.</param>
    /// <param name="nowMicros">The time of both.</param>
    /// <param name="spent">Tokens of these that are this request's.</param>
    /// <param name="unmet">Tokens that it must have had; 0 when the request was admitted.</param>
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

    /// <summary>The level that makes the client wait longest names limit and window.</summary>
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
