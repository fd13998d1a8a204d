namespace Bff.Upstreams;

/// <summary>
/// The pool's part in all attempts other than a first one that runs by itself: decides whether a read's second attempt may run beside the
/// first, and makes the attempts. When a second attempt is not allowed, the first one simply goes on.
/// </summary>
internal sealed partial class UpstreamPool
{
    /// <summary>
    /// Returns the delay after which a read's second attempt runs beside the first: <c>HedgeAfter</c>, or half the time that is left when a
    /// service that hangs would use up all of it with the first attempt. The first attempt keeps its whole timeout, since the service may
    /// only be slow.
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
    /// Returns whether a second attempt may run beside the first, with the breaker's permit for it. It may not when the deadline has
    /// passed, before the time that the service named in <c>Retry-After</c>, while the breaker is not closed, or when the budget is used
    /// up.
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
    /// Makes any attempt except a first one that runs by itself. <see cref="SendWhole"/> makes that one in its own body: one method for
    /// both would add a suspended async layer to every call.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="beside">The state of an attempt that runs beside a first one; otherwise null.</param>
    /// <param name="limit">Cancelled when the attempt times out, and when the caller no longer waits.</param>
    /// <param name="cancellation">Cancelled when the caller no longer waits.</param>
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
#pragma warning disable CA1031 // The exception becomes an outcome.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            return attempt.Broke(broken, answer, call.EndOf(broken, beside is { HasLost: true }, _time, cancellation), isSlow: false);
        }
    }
}
