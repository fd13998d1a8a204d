using Bff.Concurrency;

namespace Bff.Upstreams.Tokens;

/// <summary>A token for one service, with how long it is good; has no text of its own, so that no log can show it.</summary>
internal sealed class KeptToken
{
    private static readonly TimeSpan MostAhead = TimeSpan.FromMinutes(1),
        MostMargin = TimeSpan.FromSeconds(10),
        RenewalGap = TimeSpan.FromSeconds(1);

    private readonly string _token;
    private readonly Deadline _renewAt;
    private readonly TimeProvider _time;
    private long _nextRenewal;

    /// <param name="token">The access token.</param>
    /// <param name="life">As the authorization server says.</param>
    /// <param name="asked">When it was asked for: its life cannot have begun earlier.</param>
    /// <param name="afterRefusal">Whether the service had refused its predecessor.</param>
    /// <param name="time">The clock.</param>
    public KeptToken(string token, TimeSpan life, long asked, bool afterRefusal, TimeProvider time)
    {
        _token = token;
        AfterRefusal = afterRefusal;
        Asked = asked;
        _time = time;

        // Clocks differ, and a call takes its time: it is not served to its very end.
        ServedUntil = Deadline.After(asked, life - Least(MostMargin, life / 10), time);
        _renewAt = Deadline.After(asked, life - Least(MostAhead, life / 2), time);

        static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
    }

    /// <summary>The value of the header.</summary>
    public string Authorization => field ??= "Bearer " + _token;

    /// <summary>From when on it is not used any more.</summary>
    public Deadline ServedUntil { get; }

    /// <summary>When it was asked for.</summary>
    public long Asked { get; }

    /// <summary>Whether the service had refused its predecessor.</summary>
    public bool AfterRefusal { get; }

    /// <summary>True for one of those who find it due for renewal, and not again for a second.</summary>
    public bool TryRenew(long now)
    {
        if (!_renewAt.HasPassed(now))
        {
            return false;
        }

        var next = Volatile.Read(ref _nextRenewal);
        return now >= next && Interlocked.CompareExchange(ref _nextRenewal, Deadline.After(now, RenewalGap, _time).Timestamp, next) == next;
    }
}

/// <summary>A token, or why there is none.</summary>
/// <param name="Token">Null: see the outcome.</param>
/// <param name="Outcome">Of the call that needs it.</param>
/// <param name="RetryAfter">When it is worth asking again.</param>
internal readonly record struct TokenResult(KeptToken? Token, UpstreamOutcome Outcome, TimeSpan? RetryAfter = null)
{
    /// <summary>The authorization server is away, or does not answer in time.</summary>
    public static TokenResult Unavailable(TimeSpan? retryAfter = null) =>
        new(null, UpstreamOutcome.Unavailable, retryAfter ?? TimeSpan.FromSeconds(1));

    /// <summary>The authorization server refuses.</summary>
    public static TokenResult Refused => new(null, UpstreamOutcome.Failed);

    /// <summary>What becomes of the call.</summary>
    public Sent ToSent() => new(null, Outcome, RetryAfter, FromFallback: false);
}
