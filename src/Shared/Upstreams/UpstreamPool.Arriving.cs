namespace Bff.Upstreams;

/// <summary>
/// Sends writes whose body is passed on while it arrives. Such a write passes the same stages, in one attempt. While the breaker is not
/// closed, the body is read first: a slow sender must not hold the probe, which tells all other calls whether the service is back.
/// </summary>
internal sealed partial class UpstreamPool
{
    /// <summary>Sends the call, or returns null when the body has been read meanwhile, which makes the call like any other.</summary>
    private async ValueTask<Sent?> SendArriving(ArrivingContent arriving, PooledCall call, CancellationToken cancellation)
    {
        if (Breaker.State != BreakerState.Closed && await arriving.Held() is { } held)
        {
            call.Request.Content = held;
            return null;
        }

        var place = _bulkhead.AttemptAcquire() is { IsAcquired: true } free ? free : await Queue(call, cancellation);
        if (place is not { IsAcquired: true })
        {
            return BulkheadFull;
        }

        using var attempt = new ArrivingAttempt(place, _bulkhead, Options.Timeout, _time, cancellation);
        if (!Breaker.TryEnter(out var entered))
        {
            return Refused;
        }

        call.Arriving = arriving.Body.Attempt = attempt;
        try
        {
            _budget.Request();
            var outcome = await Attempt(call, beside: null, attempt.Token, cancellation);
            Breaker.Ended(entered, outcome.IsGood);
            var sent = Sent.Of(outcome, _time, cancellation);
            return KeepsPlace(call, sent.Response) ? sent with { Place = attempt.TakePlace() } : sent;
        }
        finally
        {
            arriving.Body.Attempt = null;
        }
    }
}
