using Bff.Concurrency;

namespace Bff.Upstreams.Tokens;

/// <summary>A token for one service with its lifetime; has no <c>ToString</c> of its own, so that no log can show the token.</summary>
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
    /// <param name="life">Lifetime that the authorization server states.</param>
    /// <param name="asked">Timestamp of the request; the lifetime cannot have started earlier.</param>
    /// <param name="afterRefusal">Whether the service had rejected the previous token.</param>
    /// <param name="time">The clock.</param>
    public KeptToken(string token, TimeSpan life, long asked, bool afterRefusal, TimeProvider time)
    {
        _token = token;
        AfterRefusal = afterRefusal;
        Asked = asked;
        _time = time;

        // Clocks differ and a call takes time, so the token is not used up to its very end.
        ServedUntil = Deadline.After(asked, life - Least(MostMargin, life / 10), time);
        _renewAt = Deadline.After(asked, life - Least(MostAhead, life / 2), time);

        static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
    }

    /// <summary>Value of <c>Authorization</c>.</summary>
    public string Authorization => field ??= "Bearer " + _token;

    /// <summary>When the token stops being used.</summary>
    public Deadline ServedUntil { get; }

    /// <summary>Timestamp of the request for the token.</summary>
    public long Asked { get; }

    /// <summary>Whether the service had rejected the previous token.</summary>
    public bool AfterRefusal { get; }

    /// <summary>Returns true for one caller when renewal is due, and not again for a second.</summary>
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

/// <summary>A token, or the reason why there is none.</summary>
/// <param name="Token">The token; null if there is none.</param>
/// <param name="Outcome">Outcome of the call that needs the token.</param>
/// <param name="RetryAfter">When to ask again.</param>
internal readonly record struct TokenResult(KeptToken? Token, UpstreamOutcome Outcome, TimeSpan? RetryAfter = null)
{
    /// <summary>The authorization server is unavailable, or does not answer in time.</summary>
    public static TokenResult Unavailable(TimeSpan? retryAfter = null) =>
        new(null, UpstreamOutcome.Unavailable, retryAfter ?? TimeSpan.FromSeconds(1));

    /// <summary>The authorization server refuses the token.</summary>
    public static TokenResult Refused => new(null, UpstreamOutcome.Failed);

    /// <summary>Returns the result of the call that needs the token.</summary>
    public Sent ToSent() => new(null, Outcome, RetryAfter, FromFallback: false);
}
