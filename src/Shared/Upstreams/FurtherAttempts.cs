using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Bff.Upstreams;

/// <summary>
/// Makes every attempt of a pool except the first one at a healthy service, in one pipeline of Microsoft.Extensions.Http.Resilience
/// (Polly), outermost strategy first:
/// <code>
/// retry (repeatable calls, within deadline and budget) ─► breaker ─► timeout ─► the attempt, with its body
/// </code>
/// When a first attempt that ran by itself has failed, the pipeline's first execution returns that outcome. The retry strategy judges it
/// and goes on from there. The pipeline also makes the probe of a breaker that is not closed, and the second attempt beside a slow first
/// one. When an attempt may not be made, the outcome of the attempt before it stands.
/// </summary>
internal sealed class FurtherAttempts
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly UpstreamPool _pool;
    private readonly RetryBudget _budget;
    private readonly TimeProvider _time;
    private readonly UpstreamLog.Pool? _log;
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;
    private BreakerStrategy _breaker = null!;

    /// <param name="pool">The pool that makes the attempts.</param>
    /// <param name="upstream">The upstream's name in metrics.</param>
    /// <param name="instance">The pool's name in metrics.</param>
    /// <param name="budget">The budget of further attempts.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The pool's log; null when nothing is logged.</param>
    public FurtherAttempts(
        UpstreamPool pool,
        string upstream,
        string instance,
        RetryBudget budget,
        TimeProvider time,
        UpstreamLog.Pool? log
    )
    {
        (_pool, _budget, _time, _log) = (pool, budget, time, log);
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>
        {
            Name = upstream,
            InstanceName = instance,
            TimeProvider = time,
        }
            .ConfigureTelemetry(NullLoggerFactory.Instance) // Metrics only: our log reports changes, not every event.
            .AddRetry(
                new HttpRetryStrategyOptions
                {
                    Name = "retry",
                    MaxRetryAttempts = Math.Max(1, pool.Options.Retries),
                    Delay = FirstPause,
                    MaxDelay = LongestPause,
                    Randomizer = static () => 0.25 + (0.75 * Random.Shared.NextDouble()), // Never zero, so that there is always a pause.
                    ShouldHandle = args => new(MayRepeat(args)),
                    DelayGenerator = args => new(PauseOf(AttemptSeries.Of(args.Context))),
                    OnRetry = _ => Retried(),
                }
            )
            .AddStrategy(context => _breaker = new(pool.Breaker, context.Telemetry), new BreakerStrategyOptions())
            .AddTimeout(new HttpTimeoutStrategyOptions { Name = "timeout", TimeoutGenerator = args => new(LimitOf(args.Context)) })
            .Build();
    }

    /// <summary>Makes the attempts after a first one that ran by itself and failed.</summary>
    public ValueTask<AttemptOutcome> Repeat(PooledCall call, AttemptOutcome first, int further, CancellationToken cancellation) =>
        Run(new(call, further, cancellation) { MadeAlone = first }, cancellation);

    /// <summary>Makes the call's first attempt as the breaker's probe, and further attempts if it fails.</summary>
    public ValueTask<AttemptOutcome> Probe(PooledCall call, BreakerPermit permit, int further, CancellationToken cancellation) =>
        Run(new(call, further, cancellation) { Permit = permit }, cancellation);

    /// <summary>Makes a second attempt beside the first.</summary>
    public ValueTask<AttemptOutcome> MakeBeside(
        PooledCall call,
        BreakerPermit permit,
        BesideAttempt beside,
        CancellationToken cancellation
    ) => Run(new(call, further: 0, cancellation) { Permit = permit, Beside = beside }, beside.Token);

    /// <summary>Reports to Polly's telemetry that the breaker has opened or closed.</summary>
    public void BreakerChanged(BreakerState state) => _breaker.Report(state, _pool.Options.Breaker.BreakDuration);

    private async ValueTask<AttemptOutcome> Run(AttemptSeries series, CancellationToken cancellation)
    {
        var context = ResilienceContextPool.Shared.Get(cancellation);
        series.Enter(context);
        await _pipeline.ExecuteOutcomeAsync(static (context, pool) => Attempt(pool, context), context, _pool);
        ResilienceContextPool.Shared.Return(context);

        if (series.Permit is { } unused)
        {
            _pool.Breaker.Ended(unused, isGood: null);
        }

        if (!series.HasTaken)
        {
            return series.Last;
        }

        _budget.GiveBack();
        if (!cancellation.IsCancellationRequested)
        {
            return series.Last; // The breaker refused the attempt after the pause.
        }

        series.Last.Dispose();
        return new(null, AttemptEnd.Abandoned);
    }

    private static async ValueTask<Outcome<HttpResponseMessage>> Attempt(UpstreamPool pool, ResilienceContext context)
    {
        var series = AttemptSeries.Of(context);
        if (series.MadeAlone is null)
        {
            series.Begins();
            series.Ended(await pool.Attempt(series.Call, series.Beside, context.CancellationToken, series.Caller));
        }

        series.MadeAlone = null;
        return Judged(series.Last, context.CancellationToken);
    }

    /// <summary>
    /// Translates an outcome for the strategies: a failure becomes an exception that the package's predicate for HTTP calls transient, so
    /// that it may be repeated. The timeout strategy makes such an exception itself out of a cancellation by its own limit.
    /// </summary>
    private static Outcome<HttpResponseMessage> Judged(AttemptOutcome outcome, CancellationToken limit) =>
        outcome.End switch
        {
            AttemptEnd.Good => Outcome.FromResult(outcome.Response!),
            AttemptEnd.Failed => Outcome.FromException<HttpResponseMessage>(
                new HttpRequestException(null, null, outcome.Response?.StatusCode)
            ),
            AttemptEnd.TimedOut when !limit.IsCancellationRequested => Outcome.FromException<HttpResponseMessage>(
                new TimeoutRejectedException()
            ),
            _ => Outcome.FromException<HttpResponseMessage>(new OperationCanceledException(limit)),
        };

    private bool MayRepeat(in RetryPredicateArguments<HttpResponseMessage> args)
    {
        if (args.Outcome.Exception is null || !HttpClientResiliencePredicates.IsTransient(args.Outcome))
        {
            return false; // A good answer, whatever its status, or a refusal by the breaker.
        }

        var series = AttemptSeries.Of(args.Context);
        series.HasTaken =
            args.AttemptNumber < series.Further
            && series.Call.Deadline.Left(_time) > (RetryAfter.Of(series.Last.Response, _time) ?? FirstPause)
            && _pool.Breaker.State != BreakerState.Open
            && _budget.TryTake();
        return series.HasTaken;
    }

    /// <summary>
    /// Returns the pause before the next attempt: the service's <c>Retry-After</c>, or none for a read of an upstream with
    /// <c>HedgeAfter</c>. Null leaves it to the package, whose pause doubles and has jitter.
    /// </summary>
    private TimeSpan? PauseOf(AttemptSeries series) =>
        RetryAfter.Of(series.Last.Response, _time)
        ?? (_pool.Options.HedgeAfter is not null && Repeatable.IsRead(series.Call.Request) ? TimeSpan.Zero : null);

    private ValueTask Retried()
    {
        _log?.Retried();
        return default;
    }

    private TimeSpan LimitOf(ResilienceContext context)
    {
        var series = AttemptSeries.Of(context);
        return series.MadeAlone is null ? series.Call.LimitOf(_pool.Options.Timeout, _time) : Timeout.InfiniteTimeSpan;
    }
}
