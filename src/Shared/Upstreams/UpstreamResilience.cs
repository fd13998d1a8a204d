using Polly;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.Timeout;

namespace Bff.Upstreams;

/// <summary>Composes Polly's strategies from an upstream's options.</summary>
internal static class UpstreamResilience
{
    public static readonly ResiliencePropertyKey<UpstreamCall> Call = new("bff.call");

    /// <summary>An HTTP or gRPC answer that speaks of the upstream's health, not of the request.</summary>
    public static bool IsFailure(HttpResponseMessage response) => (int)response.StatusCode >= 500 || GrpcStatus.IsFailure(response);

    /// <summary>Pipelines for writes without a key, writes with one, and reads; the breaker is one for all three.</summary>
    public static (ResiliencePipeline<HttpResponseMessage> Once, ResiliencePipeline<HttpResponseMessage> Repeatable, ResiliencePipeline<HttpResponseMessage> Read)
        Build(UpstreamOptions options, CircuitBreakerStateProvider state, RetryBudget budget, TimeProvider time)
    {
        var attempt = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddCircuitBreaker(Breaker(options.Breaker, state))
            .AddTimeout(AttemptTimeout(options, time))
            .Build();

        var repeatable = options.Retries == 0 ? attempt : Compose(time, b => b.AddRetry(Retry(options, budget, time)), attempt);
        var read = options.HedgeAfter is { } delay ? Compose(time, b => b.AddHedging(Hedge(delay, budget, time)), attempt) : repeatable;
        return (attempt, repeatable, read);
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
        TimeoutGenerator = args =>
        {
            var remaining = args.Context.Properties.GetValue(Call, null!).Remaining(time);
            return new(remaining < options.Timeout ? TimeSpan.FromTicks(Math.Max(remaining.Ticks, TimeSpan.TicksPerMillisecond)) : options.Timeout);
        },
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
            && WorthWaiting(args.Context.Properties.GetValue(Call, null!).Remaining(time), RetryAfter.Of(args.Outcome.Result))
            && budget.TryTake()),
        DelayGenerator = static args => new(RetryAfter.Of(args.Outcome.Result)),
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
        ActionGenerator = args =>
            args.PrimaryContext.Properties.GetValue(Call, null!).Remaining(time) > TimeSpan.Zero && budget.TryTake()
                ? () => args.Callback(args.ActionContext)
                : null,
    };

    private static bool WorthWaiting(TimeSpan remaining, TimeSpan? retryAfter) => remaining > (retryAfter ?? TimeSpan.FromMilliseconds(20));
}
