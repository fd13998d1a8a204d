using Polly;
using Polly.CircuitBreaker;
using Polly.Telemetry;

namespace Bff.Upstreams;

/// <summary>
/// A pool's <see cref="CircuitBreaker"/> as a strategy of its pipeline. Polly's own knows good and bad, and no end that says nothing: a
/// probe that its caller has left would close it, or keep it open for a whole break.
/// </summary>
/// <param name="breaker">Attempts that run by themselves pass it too.</param>
/// <param name="telemetry">Is told the events of Polly's own.</param>
internal sealed class BreakerStrategy(CircuitBreaker breaker, ResilienceStrategyTelemetry telemetry)
    : ResilienceStrategy<HttpResponseMessage>
{
    /// <summary>Reports a change of the breaker's state, by whichever attempt.</summary>
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
        // One that was not made, and one that has lost however it ended, say nothing.
        breaker.Ended(permit, series.Made == made || series.Beside is { HasLost: true } ? null : series.Last.IsGood);
        return outcome;
    }
}

/// <summary>Of the strategy; its figures are <see cref="BreakerOptions"/>.</summary>
internal sealed class BreakerStrategyOptions : ResilienceStrategyOptions
{
    public BreakerStrategyOptions() => Name = "breaker";
}
