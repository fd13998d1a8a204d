using Polly;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.Timeout;

namespace Bff.Upstreams;

/// <summary>Composes Polly's strategies from an upstream's options. The breaker is one for all of them.</summary>
internal sealed class UpstreamResilience
{
    public static readonly ResiliencePropertyKey<PooledCall> Call = new("bff.call");
    private readonly ResiliencePipeline<HttpResponseMessage> _breaker;

    public UpstreamResilience(UpstreamOptions options, CircuitBreakerStateProvider state, RetryBudget budget, TimeProvider time)
    {
        _breaker = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }.AddCircuitBreaker(Breaker(options.Breaker, state)).Build();
        Once = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddPipeline(_breaker)
            .AddTimeout(AttemptTimeout(options, time))
            .Build();
        Repeatable = options.Retries == 0 ? Once : Compose(time, b => b.AddRetry(Retry(options, budget, time)), Once);
        Read = options.HedgeAfter is { } delay ? Compose(time, b => b.AddHedging(Hedge(delay, budget, time)), Once) : Repeatable;
        IsHedged = options.HedgeAfter is not null;
    }

    /// <summary>For writes without a key.</summary>
    public ResiliencePipeline<HttpResponseMessage> Once { get; }

    /// <summary>For writes with one.</summary>
    public ResiliencePipeline<HttpResponseMessage> Repeatable { get; }

    /// <summary>For reads.</summary>
    public ResiliencePipeline<HttpResponseMessage> Read { get; }

    /// <summary>Whether a read's second attempt may run beside its first.</summary>
    public bool IsHedged { get; }

    /// <summary>An HTTP or gRPC answer that speaks of the upstream's health, not of the request.</summary>
    /// <remarks>A method, a version or a network sign-in that it does not offer (501, 505, 511) will be no other a moment later, and is no illness.</remarks>
    public static bool IsFailure(HttpResponseMessage response) =>
        (int)response.StatusCode is >= 500 and not (501 or 505 or 511) || GrpcStatus.IsFailure(response);

    /// <summary>Tells the breaker of a good answer to an attempt that ran without it. Completes at once.</summary>
    public void CountGood(HttpResponseMessage response)
    {
        var context = ResilienceContextPool.Shared.Get();
        var counting = _breaker.ExecuteOutcomeAsync(static (_, good) => new ValueTask<Outcome<HttpResponseMessage>>(Outcome.FromResult(good)), context, response);
        if (counting.IsCompletedSuccessfully)
        {
            _ = counting.Result;
        }

        ResilienceContextPool.Shared.Return(context);
    }

    private static ResiliencePipeline<HttpResponseMessage> Compose(
        TimeProvider time, Action<ResiliencePipelineBuilder<HttpResponseMessage>> outer, ResiliencePipeline<HttpResponseMessage> inner)
    {
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time };
        outer(builder);
        return builder.AddPipeline(inner).Build();
    }

    private static bool IsFailure(Outcome<HttpResponseMessage> outcome, CancellationToken cancellation) => outcome switch
    {
        { Result: { } response } => IsFailure(response),
        { Exception: OperationCanceledException } => !cancellation.IsCancellationRequested,
        { Exception: BrokenCircuitException } => false,
        _ => true,
    };

    private static CircuitBreakerStrategyOptions<HttpResponseMessage> Breaker(BreakerOptions options, CircuitBreakerStateProvider state) => new()
    {
        FailureRatio = options.FailureRatio,
        MinimumThroughput = options.MinimumThroughput,
        SamplingDuration = options.SamplingDuration,
        BreakDuration = options.BreakDuration,
        StateProvider = state,
        ShouldHandle = static args => new(IsFailure(args.Outcome, args.Context.CancellationToken)),
    };

    private static TimeoutStrategyOptions AttemptTimeout(UpstreamOptions options, TimeProvider time) => new()
    {
        TimeoutGenerator = args => new(args.Context.Properties.GetValue(Call, null!) is { Turn: null } call
            ? call.Patience(options.Timeout, time)
            : Timeout.InfiniteTimeSpan), // The turn has the time.
    };

    private static RetryStrategyOptions<HttpResponseMessage> Retry(UpstreamOptions options, RetryBudget budget, TimeProvider time) => new()
    {
        MaxRetryAttempts = options.Retries,
        BackoffType = DelayBackoffType.Exponential,
        Delay = TimeSpan.FromMilliseconds(20),
        MaxDelay = TimeSpan.FromSeconds(1),
        UseJitter = true,
        // Not when nobody would wait for the answer, not before the upstream wants it, not beyond the budget.
        ShouldHandle = args => new(
            args.AttemptNumber < options.Retries
            && IsFailure(args.Outcome, args.Context.CancellationToken)
            && WorthWaiting(args.Context.Properties.GetValue(Call, null!).Remaining(time), RetryAfter.Of(args.Outcome.Result, time))
            && budget.TryTake()),
        DelayGenerator = args => new(RetryAfter.Of(args.Outcome.Result, time)),
        OnRetry = static args =>
        {
            args.Outcome.Result?.Dispose();
            return default;
        },
    };

    private static HedgingStrategyOptions<HttpResponseMessage> Hedge(TimeSpan delay, RetryBudget budget, TimeProvider time) => new()
    {
        Delay = delay,
        MaxHedgedAttempts = 1,
        ShouldHandle = static args => new(IsFailure(args.Outcome, args.Context.CancellationToken)),
        // Not when nobody would wait for the answer, not before the upstream wants it, not beyond the budget.
        ActionGenerator = args =>
            args.PrimaryContext.Properties.GetValue(Call, null!) is var call && call.Remaining(time) > TimeSpan.Zero
            && Volatile.Read(ref call.NotBefore) <= time.GetTimestamp() && budget.TryTake()
                ? () => args.Callback(args.ActionContext)
                : null,
    };

    private static bool WorthWaiting(TimeSpan remaining, TimeSpan? retryAfter) => remaining > (retryAfter ?? TimeSpan.FromMilliseconds(20));
}
