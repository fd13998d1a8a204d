using Polly;
using Polly.CircuitBreaker;

namespace Bff.Upstreams;

/// <summary>
/// A write whose body is sent on while it arrives passes the same stages, once. Of a service that fails or tries its first call after that, a slow
/// sender must not keep the others from knowing whether it is back: there the body is read first.
/// </summary>
internal sealed partial class UpstreamPool
{
    /// <summary>Null: the body has been read meanwhile, and the call is like any other.</summary>
    private async ValueTask<Sent?> SendArriving(ArrivingContent arriving, PooledCall call, CancellationToken cancellation)
    {
        if (Breaker.CircuitState != CircuitState.Closed && await arriving.Held() is { } held)
        {
            call.Request.Content = held;
            return null;
        }

        var place = _bulkhead.AttemptAcquire() is { IsAcquired: true } free ? free : await Queue(call, cancellation);
        if (place is not { IsAcquired: true })
        {
            return BulkheadFull;
        }

        using var turn = new ArrivingTurn(place, _bulkhead, Options.Timeout, _time, cancellation);
        call.Turn = arriving.Body.Turn = turn;
        try
        {
            _budget.Request();
            return Breaker.CircuitState == CircuitState.Closed
                ? await SendArriving(call, turn, cancellation)
                : Sent.Of(await Through(_resilience.Once, call, cancellation), _time, cancellation);
        }
        finally
        {
            arriving.Body.Turn = null;
        }
    }

    private async ValueTask<Sent> SendArriving(PooledCall call, ArrivingTurn turn, CancellationToken cancellation)
    {
        var first = await Attempt(call, turn.Token);
        if (first.Result is { } response && !UpstreamResilience.IsFailure(response))
        {
            _resilience.CountGood(response);
        }
        else if (!cancellation.IsCancellationRequested)
        {
            call.First = first;
            var judged = await Through(_resilience.Once, call, cancellation);
            first = call.First ?? judged;
        }

        return Sent.Of(first, _time, cancellation);
    }
}
