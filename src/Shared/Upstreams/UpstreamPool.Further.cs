namespace Bff.Upstreams;

/// <summary>
/// Attempts after the first: never when the caller would not wait for them, before the service wants them, while the breaker is open or beyond the
/// budget. One that may not be made changes nothing: what the attempt before it brought stands.
/// </summary>
internal sealed partial class UpstreamPool
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

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

    /// <summary>Whether a second attempt may run beside the first, and the breaker's leave for it.</summary>
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
    internal async ValueTask<AttemptOutcome> Attempt(
        PooledCall call,
        BreakerPermit permit,
        BesideAttempt? beside,
        CancellationToken cancellation
    )
    {
        using var limit = call.Arriving is null
            ? TimeLimit.Start(call.LimitOf(Options.Timeout, _time), _time, beside?.Token ?? cancellation)
            : default(TimeLimit?);
        var token = limit?.Token ?? call.Arriving!.Token;
        var attempt = UpstreamAttempt.Begin(call, _addresses.Current, Options);
        beside?.Address = attempt.Address;
        HttpResponseMessage? answer = null;
        AttemptOutcome outcome;
        try
        {
            answer = await _connections.SendAsync(attempt.Request, token);
            var body =
                call.Body == BodyUse.Streamed
                    ? null
                    : await BufferedBody.Read(answer, call.Body == BodyUse.Decoded, Options.MaxResponseBytes, token);
            outcome = attempt.Answered(answer, body, call, _time);
        }
#pragma warning disable CA1031 // An outcome.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            outcome = attempt.Broke(broken, answer, call.EndOf(broken, beside is { HasLost: true }, _time, cancellation), isSlow: false);
        }

        Breaker.Ended(permit, beside is { HasLost: true } ? null : outcome.IsGood); // What has lost says nothing, however it ends.
        return outcome;
    }

    private async ValueTask<AttemptOutcome> Repeat(
        PooledCall call,
        AttemptOutcome last,
        int further,
        bool isHedged,
        CancellationToken cancellation
    )
    {
        for (var made = 0; made < further && last.IsFailure; made++)
        {
            var asked = RetryAfter.Of(last.Response, _time);
            if (call.Deadline.Left(_time) <= (asked ?? FirstPause) || Breaker.State == BreakerState.Open || !_budget.TryTake())
            {
                break;
            }

            if (!await Pause(asked ?? (isHedged ? TimeSpan.Zero : Backoff(made)), cancellation))
            {
                _budget.GiveBack();
                last.Dispose();
                return new(null, AttemptEnd.Abandoned);
            }

            if (!Breaker.TryEnter(out var permit))
            {
                _budget.GiveBack();
                break;
            }

            _log?.Retried();
            last.Dispose();
            last = await Attempt(call, permit, beside: null, cancellation);
        }

        return last;
    }

    /// <summary>False when the caller no longer waits.</summary>
    private async ValueTask<bool> Pause(TimeSpan pause, CancellationToken cancellation)
    {
        if (pause > TimeSpan.Zero)
        {
            await Task.Delay(pause, _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return !cancellation.IsCancellationRequested;
    }

    /// <summary>Doubles, with jitter, so that callers who failed together do not come back together.</summary>
    private static TimeSpan Backoff(int made)
    {
        var pause = FirstPause * Math.Pow(2, made) * (0.5 + Random.Shared.NextDouble());
        return pause < LongestPause ? pause : LongestPause;
    }
}
