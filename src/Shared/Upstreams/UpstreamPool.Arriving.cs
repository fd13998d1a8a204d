namespace Bff.Upstreams;

/// <summary>
/// A write whose body is sent on while it arrives passes the same stages, once. Of a service that fails or tries its first call after that,
/// a slow sender must not keep the others from knowing whether it is back: there the body is read first.
/// </summary>
internal sealed partial class UpstreamPool
{
    /// <summary>Null: the body has been read meanwhile, and the call is like any other.</summary>
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
