using Polly;
using Polly.CircuitBreaker;
using Polly.Telemetry;

namespace Bff.Upstreams;

/// <summary>
/// Makes a pool's <see cref="CircuitBreaker"/> a strategy of its pipeline. Polly's own breaker knows success and failure only, not an end
/// that says nothing of the service: when the caller of a probe leaves, it would close, or stay open for a whole break.
/// </summary>
/// <param name="breaker">The pool's breaker, which first attempts outside the pipeline pass too.</param>
/// <param name="telemetry">Receives the same events as from Polly's own breaker.</param>
internal sealed class BreakerStrategy(CircuitBreaker breaker, ResilienceStrategyTelemetry telemetry)
    : ResilienceStrategy<HttpResponseMessage>
{
    /// <summary>Reports a change of the breaker's state, whether an attempt inside or outside the pipeline caused it.</summary>
    public void Report(BreakerState state, TimeSpan duration)
    {
        var context = ResilienceContextPool.Shared.Get();
        if (state == BreakerState.Open)
        {
            telemetry.Report(
                new(ResilienceEventSeverity.Error, "OnCircuitOpened"),
                context,
                new OnCircuitOpenedArguments<HttpResponseMessage>(context, default, duration, isManual: false)
            );
        }
        else
        {
            telemetry.Report(
                new(ResilienceEventSeverity.Information, "OnCircuitClosed"),
                context,
                new OnCircuitClosedArguments<HttpResponseMessage>(context, default, isManual: false)
            );
        }

        ResilienceContextPool.Shared.Return(context);
    }

    /// <inheritdoc />
    protected override async ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback,
        ResilienceContext context,
        TState state
    )
    {
        var series = AttemptSeries.Of(context);
        if (series.MadeAlone is not null)
        {
            return await callback(context, state);
        }

        if (series.Permit is { } permit)
        {
            series.Permit = null;
        }
        else if (!breaker.TryEnter(out permit))
        {
            return Outcome.FromException<HttpResponseMessage>(new BrokenCircuitException());
        }

        if (permit.IsProbe)
        {
            telemetry.Report(
                new(ResilienceEventSeverity.Warning, "OnCircuitHalfOpened"),
                context,
                new OnCircuitHalfOpenedArguments(context)
            );
        }

        var made = series.Made;
        var outcome = await callback(context, state);
        // An attempt that was not made, or that lost to the one beside it, says nothing of the service.
        breaker.Ended(permit, series.Made == made || series.Beside is { HasLost: true } ? null : series.Last.IsGood);
        return outcome;
    }
}

/// <summary>Names the strategy. The breaker's thresholds are in <see cref="BreakerOptions"/>.</summary>
internal sealed class BreakerStrategyOptions : ResilienceStrategyOptions
{
    public BreakerStrategyOptions() => Name = "breaker";
}
