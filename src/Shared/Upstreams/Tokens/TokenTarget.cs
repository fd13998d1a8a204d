using Bff.Callers.Bearer;
using Bff.Concurrency;
using Bff.Requests;

namespace Bff.Upstreams.Tokens;

/// <summary>
/// The tokens for one service: 1. a kept one is served at once; 2. it is renewed ahead of time while it still serves; 3. else one request
/// asks, however many calls wait; 4. a refusal is remembered for a moment; 5. one that the service refuses is dropped. Memory is bounded.
/// </summary>
internal sealed class TokenTarget(TokenOptions options, TokenEndpoint endpoint, TimeProvider time)
{
    private const int MaxAtOnce = 1024;
    private const string Own = "";
    private static readonly TimeSpan RefusedFor = TimeSpan.FromSeconds(5),
        FreshFor = TimeSpan.FromSeconds(5);

    private readonly TokenMemory<KeptToken> _exchanged = new(maxBytes: 32 << 20, extraBytes: 4096);
    private readonly TokenMemory<object> _refused = new(maxBytes: 4 << 20);
    private readonly SingleFlight<string> _questions = new(StringComparer.Ordinal);
    private KeptToken? _own;

    /// <summary>Where its tokens come from.</summary>
    public TokenEndpoint Endpoint => endpoint;

    /// <summary>A token, or why there is none. Completes at once where one is kept.</summary>
    /// <param name="subject">The caller's token that is exchanged; none for the gateway's own.</param>
    /// <param name="deadline">When the call is no longer waited for.</param>
    /// <param name="refused">What the service has just refused, and is not wanted again.</param>
    /// <param name="cancellation">The call's.</param>
    public ValueTask<TokenResult> Get(CallerToken subject, Deadline deadline, KeptToken? refused, CancellationToken cancellation)
    {
        var now = time.GetTimestamp();
        if (Kept(subject) is { } kept && kept != refused && !kept.ServedUntil.HasPassed(now))
        {
            if (kept.TryRenew(now))
            {
                _ = Ask(KeyOf(subject), int.MaxValue, kept, afterRefusal: false); // Its outcome is kept, counted and logged; no request waits for it.
            }

            return new(new TokenResult(kept, UpstreamOutcome.Ok));
        }

        return new(Wait(subject, deadline, refused, cancellation));
    }

    /// <summary>
    /// Forgets a token that the service has refused. False where another would not help: this one is the answer to a refusal itself, and
    /// new.
    /// </summary>
    public bool Drop(CallerToken subject, KeptToken refused)
    {
        if (refused.AfterRefusal && time.GetElapsedTime(refused.Asked) < FreshFor)
        {
            return false;
        }

        if (subject.IsNone)
        {
            Interlocked.CompareExchange(ref _own, null, refused);
        }
        else if (_exchanged.TryGet(subject.Value, out var kept) && kept == refused)
        {
            _exchanged.Remove(subject.Value);
        }

        return true;
    }

    private static string KeyOf(CallerToken subject) => subject.IsNone ? Own : subject.Value.ToString();

    private KeptToken? Kept(CallerToken subject) => subject.IsNone ? Volatile.Read(ref _own) : Exchanged(subject.Value);

    private KeptToken? Exchanged(ReadOnlySpan<char> subject) => _exchanged.TryGet(subject, out var kept) ? kept : null;

    private bool IsRefused(string key) => _refused.TryGet(key, out var until) && !((Deadline)until).HasPassed(time.GetTimestamp());

    private async Task<TokenResult> Wait(CallerToken subject, Deadline deadline, KeptToken? refused, CancellationToken cancellation)
    {
        var key = KeyOf(subject);
        if (IsRefused(key))
        {
            return TokenResult.Refused;
        }

        // A tenth of what is left is for saying so.
        var left = deadline.Left(time);
        if (left == TimeSpan.Zero || Ask(key, MaxAtOnce, refused ?? Kept(subject), refused is not null) is not { } question)
        {
            return TokenResult.Unavailable();
        }

        try
        {
            return await question.WaitAsync(left * 0.9, time, cancellation);
        }
        catch (TimeoutException)
        {
            return TokenResult.Unavailable();
        }
    }

    /// <param name="key">Whose token.</param>
    /// <param name="most">Questions at once; null beyond that.</param>
    /// <param name="seen">What the caller has found and does not want: another that is there by then will do.</param>
    /// <param name="afterRefusal">Whether the service has refused it.</param>
    private Task<TokenResult>? Ask(string key, int most, KeptToken? seen, bool afterRefusal) =>
        _questions.TryRun(
            key,
            most,
            (Self: this, Seen: seen, AfterRefusal: afterRefusal),
            static (k, to) => to.Self.Run(k, to.Seen, to.AfterRefusal)
        );

    /// <summary>Not cancelled with the call that began it: others wait for the same answer.</summary>
    private async Task<TokenResult> Run(string key, KeptToken? seen, bool afterRefusal)
    {
        await Task.Yield(); // A call that has a kept token does not wait while this begins to ask.
        var kept = key.Length == 0 ? Volatile.Read(ref _own) : Exchanged(key);
        if (kept is not null && kept != seen && !kept.ServedUntil.HasPassed(time.GetTimestamp()))
        {
            return new(kept, UpstreamOutcome.Ok); // The caller had looked just before it was kept.
        }

        if (IsRefused(key))
        {
            return TokenResult.Refused;
        }

        var result = await endpoint.Ask(options, key.Length == 0 ? null : key, afterRefusal);
        if (result.Token is { } token)
        {
            Keep(key, token);
        }
        else if (result.Outcome == UpstreamOutcome.Failed)
        {
            _refused.Set(key, Deadline.In(RefusedFor, time));
        }

        return result;
    }

    private void Keep(string key, KeptToken token)
    {
        if (token.ServedUntil.HasPassed(time.GetTimestamp()))
        {
            return; // Those who wait for it use it; it is not worth keeping.
        }

        if (key.Length == 0)
        {
            Volatile.Write(ref _own, token);
        }
        else
        {
            _exchanged.Set(key, token);
        }
    }
}
