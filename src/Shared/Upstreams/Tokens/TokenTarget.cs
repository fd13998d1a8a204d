using Bff.Callers.Bearer;
using Bff.Concurrency;
using Bff.Requests;

namespace Bff.Upstreams.Tokens;

/// <summary>
/// The tokens for one service: 1. a cached token is returned at once; 2. it is renewed early, while it is still valid; 3. otherwise one
/// request is made for all waiting calls; 4. a refusal is remembered for a short time; 5. a token that the service rejects is dropped.
/// Memory is bounded.
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

    /// <summary>The endpoint that issues the tokens.</summary>
    public TokenEndpoint Endpoint => endpoint;

    /// <summary>Returns a token, or the reason why there is none. Completes synchronously if a token is cached.</summary>
    /// <param name="subject">The caller's token to exchange; none for a token of the gateway's own.</param>
    /// <param name="deadline">When the call stops waiting.</param>
    /// <param name="refused">The token that the service has just rejected.</param>
    /// <param name="cancellation">Cancels the wait.</param>
    public ValueTask<TokenResult> Get(CallerToken subject, Deadline deadline, KeptToken? refused, CancellationToken cancellation)
    {
        var now = time.GetTimestamp();
        if (Kept(subject) is { } kept && kept != refused && !kept.ServedUntil.HasPassed(now))
        {
            if (kept.TryRenew(now))
            {
                _ = Ask(KeyOf(subject), int.MaxValue, kept, afterRefusal: false); // Cached, counted and logged; no request waits.
            }

            return new(new TokenResult(kept, UpstreamOutcome.Ok));
        }

        return new(Wait(subject, deadline, refused, cancellation));
    }

    /// <summary>
    /// Forgets a token that the service has rejected. Returns false if a new one would not help, because this one is recent and already
    /// replaced a rejected token.
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

        // A tenth of the time that is left is reserved for the error answer.
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

    /// <param name="key">Key of the token.</param>
    /// <param name="most">Maximum number of requests in flight; beyond it the result is null.</param>
    /// <param name="seen">A token that the caller does not want; any other that is cached by then will do.</param>
    /// <param name="afterRefusal">Whether the service has rejected that token.</param>
    private Task<TokenResult>? Ask(string key, int most, KeptToken? seen, bool afterRefusal) =>
        _questions.TryRun(
            key,
            most,
            (Self: this, Seen: seen, AfterRefusal: afterRefusal),
            static (k, to) => to.Self.Run(k, to.Seen, to.AfterRefusal)
        );

    /// <summary>Requests a token. Not cancelled with the call that started it, because others wait for the same result.</summary>
    private async Task<TokenResult> Run(string key, KeptToken? seen, bool afterRefusal)
    {
        await Task.Yield(); // A call with a cached token must not wait while this starts.
        var kept = key.Length == 0 ? Volatile.Read(ref _own) : Exchanged(key);
        if (kept is not null && kept != seen && !kept.ServedUntil.HasPassed(time.GetTimestamp()))
        {
            return new(kept, UpstreamOutcome.Ok); // The token was cached just after the caller had looked.
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
            return; // Waiting calls use it, but it is not worth caching.
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
