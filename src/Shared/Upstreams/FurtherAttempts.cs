using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Bff.Upstreams;

/// <summary>
/// Every attempt of a pool but the first one of a healthy service, as one pipeline of Microsoft.Extensions.Http.Resilience (Polly), from
/// the outermost in:
/// <code>
/// retry (what may be repeated, within deadline and budget) ─► breaker ─► time-out ─► the attempt, with its body
/// </code>
/// A first attempt that failed by itself is what the pipeline's first execution gives back: the retry judges it, and goes on from there.
/// The probe of a breaker that is not closed, and a second attempt beside a slow first, are made by it. One that may not be made changes
/// nothing: what the attempt before it brought stands.
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

    /// <param name="pool">Whose attempts.</param>
    /// <param name="upstream">The upstream's name in metrics.</param>
    /// <param name="instance">The pool's.</param>
    /// <param name="budget">Of further attempts.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">What operators are told; null: nothing.</param>
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
            .ConfigureTelemetry(NullLoggerFactory.Instance) // Metrics alone: the log is told once per change, not per event.
            .AddRetry(
                new HttpRetryStrategyOptions
                {
                    Name = "retry",
                    MaxRetryAttempts = Math.Max(1, pool.Options.Retries),
                    Delay = FirstPause,
                    MaxDelay = LongestPause,
                    Randomizer = static () => 0.25 + (0.75 * Random.Shared.NextDouble()), // Never at once.
                    ShouldHandle = args => new(MayRepeat(args)),
                    DelayGenerator = args => new(PauseOf(AttemptSeries.Of(args.Context))),
                    OnRetry = _ => Retried(),
                }
            )
            .AddStrategy(context => _breaker = new(pool.Breaker, context.Telemetry), new BreakerStrategyOptions())
            .AddTimeout(new HttpTimeoutStrategyOptions { Name = "timeout", TimeoutGenerator = args => new(LimitOf(args.Context)) })
            .Build();
    }

    /// <summary>Repeats a call whose first attempt has failed by itself.</summary>
    public ValueTask<AttemptOutcome> Repeat(PooledCall call, AttemptOutcome first, int further, CancellationToken cancellation) =>
        Run(new(call, further, cancellation) { MadeAlone = first }, cancellation);

    /// <summary>Makes the call's first attempt, which tries whether the service is back.</summary>
    public ValueTask<AttemptOutcome> Probe(PooledCall call, BreakerPermit permit, int further, CancellationToken cancellation) =>
        Run(new(call, further, cancellation) { Permit = permit }, cancellation);

    /// <summary>Makes a second attempt beside the first.</summary>
    public ValueTask<AttemptOutcome> MakeBeside(
        PooledCall call,
        BreakerPermit permit,
        BesideAttempt beside,
        CancellationToken cancellation
    ) => Run(new(call, further: 0, cancellation) { Permit = permit, Beside = beside }, beside.Token);

    /// <summary>The breaker has opened or closed, by whichever attempt.</summary>
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
            return series.Last; // Refused by the breaker.
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
    /// As the strategies see it: what may be repeated is what their predicate for HTTP calls transient. Of a cancellation by its own limit
    /// the time-out makes one such.
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
            return false; // A good answer, whatever its status, or a refusal.
        }

        var series = AttemptSeries.Of(args.Context);
        series.HasTaken =
            args.AttemptNumber < series.Further
            && series.Call.Deadline.Left(_time) > (RetryAfter.Of(series.Last.Response, _time) ?? FirstPause)
            && _pool.Breaker.State != BreakerState.Open
            && _budget.TryTake();
        return series.HasTaken;
    }

    /// <summary>As the service asks; none where a faster answer is wanted (<c>HedgeAfter</c>); null: it doubles, with jitter.</summary>
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
