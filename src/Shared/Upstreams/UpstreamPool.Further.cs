namespace Bff.Upstreams;

/// <summary>
/// What attempts other than a first one by itself need of the pool: whether a read's second one may run beside the first, and how each is
/// made. One that may not be made changes nothing: the first attempt goes on.
/// </summary>
internal sealed partial class UpstreamPool
{
    /// <summary>
    /// When a read's second attempt runs beside the first: after <c>HedgeAfter</c>, or, where a service that hangs would have all the time
    /// for its first attempt, after half of it. A service that is merely slow keeps its whole time.
    /// </summary>
    private TimeSpan? BesideAfter(PooledCall call)
    {
        if (Options.HedgeAfter is { } delay)
        {
            return delay;
        }

        var left = call.Deadline.Left(_time);
        return left < 1.5 * Options.Timeout ? left / 2 : null;
    }

    /// <summary>
    /// Whether a second attempt may run beside the first, and the breaker's leave for it: never when the caller would not wait for it,
    /// before the service wants it, while the breaker is not closed or beyond the budget.
    /// </summary>
    internal bool MayGoBeside(PooledCall call, out BreakerPermit permit)
    {
        permit = default;
        if (
            call.Deadline.Left(_time) <= TimeSpan.Zero
            || Volatile.Read(ref call.NotBefore) > _time.GetTimestamp()
            || Breaker.State != BreakerState.Closed
            || !_budget.TryTake()
        )
        {
            return false;
        }

        if (Breaker.TryEnter(out permit) && !permit.IsProbe)
        {
            _log?.Hedged();
            return true;
        }

        if (permit.IsProbe)
        {
            Breaker.Ended(permit, isGood: null);
        }

        _budget.GiveBack();
        return false;
    }

    /// <summary>
    /// Any attempt but a first one by itself, which <see cref="SendWhole"/> makes in its own body: one method for both would be one more
    /// suspended layer per call.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="beside">What it is, where it runs beside a first one.</param>
    /// <param name="limit">Cancelled when the attempt has taken too long, too.</param>
    /// <param name="cancellation">The caller no longer waits.</param>
    internal async ValueTask<AttemptOutcome> Attempt(
        PooledCall call,
        BesideAttempt? beside,
        CancellationToken limit,
        CancellationToken cancellation
    )
    {
        var attempt = UpstreamAttempt.Begin(call, _addresses.Current, Options);
        beside?.Address = attempt.Address;
        HttpResponseMessage? answer = null;
        try
        {
            answer = await _connections.SendAsync(attempt.Request, limit);
            var body =
                call.Body == BodyUse.Streamed
                    ? null
                    : await BufferedBody.Read(answer, call.Body == BodyUse.Decoded, Options.MaxResponseBytes, limit);
            return attempt.Answered(answer, body, call, _time);
        }
#pragma warning disable CA1031 // An outcome.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            return attempt.Broke(broken, answer, call.EndOf(broken, beside is { HasLost: true }, _time, cancellation), isSlow: false);
        }
    }
}
