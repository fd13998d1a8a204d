using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;
using Polly;
using Polly.CircuitBreaker;

namespace Bff.Upstreams;

/// <summary>
/// One set of addresses with its own connections, bulkhead, breaker and retry budget: an upstream's own, its canary's, or
/// a tenant's. A call passes, from the outermost in:
/// <code>
/// bulkhead ─► retry or hedge (repeatable calls, within the budget) ─► breaker ─► attempt time-out ─► address (power of two) ─► connection
/// </code>
/// While the breaker is closed and nothing is hedged, the first attempt runs by itself within its time-out; the breaker counts a good answer, and anything else
/// is handed to the strategies as the outcome of their first attempt. The answer is the same; what is saved is three suspended layers per call.
/// </summary>
internal sealed partial class UpstreamPool : IDisposable
{
    private static readonly Sent BulkheadFull = new(null, UpstreamOutcome.Unavailable, TimeSpan.FromSeconds(1), FromFallback: false);

    private readonly UpstreamAddress[] _addresses;
    private readonly HttpMessageInvoker _connections;
    private readonly ConcurrencyLimiter _bulkhead;
    private readonly UpstreamResilience _resilience;
    private readonly RetryBudget _budget;
    private readonly TimeProvider _time;

    public UpstreamPool(UpstreamOptions options, IReadOnlyList<Uri> addresses, TimeProvider time)
    {
        Options = options;
        _time = time;
        _addresses = [.. addresses.Select(a => new UpstreamAddress(a, time))];
        _connections = UpstreamConnections.Open(options);
        _budget = new RetryBudget(time);
        _bulkhead = new ConcurrencyLimiter(new() { PermitLimit = options.MaxConcurrency, QueueLimit = options.MaxQueue });
        _resilience = new UpstreamResilience(options, Breaker, _budget, time);
    }

    public UpstreamOptions Options { get; }

    /// <summary>Places of the bulkhead that calls hold; for metrics and tests.</summary>
    public long Places => Options.MaxConcurrency - _bulkhead.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>Closed, open or half-open; for metrics and tests.</summary>
    public CircuitBreakerStateProvider Breaker { get; } = new();

    /// <summary>Sends the call and gives its answer, good or bad, or the reason why there is none. Throws only when <paramref name="cancellation"/> is cancelled.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Sent> Send(PooledCall call, CancellationToken cancellation)
    {
        if (call.Request.Content is ArrivingContent arriving && await SendArriving(arriving, call, cancellation) is { } sent)
        {
            return sent;
        }

        using var place = _bulkhead.AttemptAcquire() is { IsAcquired: true } free ? free : await Queue(call, cancellation);
        if (place is not { IsAcquired: true })
        {
            return BulkheadFull;
        }

        var strategies = _resilience.Once;
        if (Repeatable.IsRead(call.Request))
        {
            strategies = _resilience.Read;
        }
        else
        {
            if (Repeatable.IsRepeatable(call.Request))
            {
                strategies = _resilience.Repeatable;
                await RequestCopy.MakeRepeatable(call.Request, cancellation);
            }

            // The connection pool repeats bodiless requests by itself when a kept-alive connection turns out to be closed.
            call.Request.Content ??= new ByteArrayContent([]);
        }

        _budget.Request();
        if (Breaker.CircuitState != CircuitState.Closed || (strategies == _resilience.Read && _resilience.IsHedged))
        {
            return Sent.Of(await Through(strategies, call, cancellation), _time, cancellation);
        }

        Outcome<HttpResponseMessage> first;
        using (var limit = TimeLimit.Start(call.Patience(Options.Timeout, _time), _time, cancellation))
        {
            var attempt = UpstreamAttempt.Begin(call, _addresses, Options);
            HttpResponseMessage? answer = null;
            try
            {
                answer = await _connections.SendAsync(attempt.Request, limit.Token);
                if (call.Body != BodyUse.Streamed)
                {
                    await BufferedBody.Read(answer, call.Body == BodyUse.Decoded, Options.MaxResponseBytes, limit.Token);
                }

                first = attempt.Answered(answer, call, _time);
            }
#pragma warning disable CA1031 // An outcome.
            catch (Exception broken)
#pragma warning restore CA1031
            {
                first = attempt.Broke(broken, answer, limit.Token.IsCancellationRequested);
            }
        }

        if (first.Result is { } response && !UpstreamResilience.IsFailure(response))
        {
            _resilience.CountGood(response);
            return Sent.Of(first, _time, cancellation);
        }

        if (cancellation.IsCancellationRequested)
        {
            return Sent.Of(first, _time, cancellation); // Nobody waits; it says nothing about the service.
        }

        call.First = first;
        var judged = await Through(strategies, call, cancellation);
        return Sent.Of(call.First ?? judged, _time, cancellation); // The breaker may have opened meanwhile: then what happened stands.
    }

    public void Dispose()
    {
        _connections.Dispose();
        _bulkhead.Dispose();
    }

    private async ValueTask<Outcome<HttpResponseMessage>> Through(ResiliencePipeline<HttpResponseMessage> strategies, PooledCall call, CancellationToken cancellation)
    {
        var context = ResilienceContextPool.Shared.Get(cancellation);
        context.Properties.Set(UpstreamResilience.Call, call);
        try
        {
            return await strategies.ExecuteOutcomeAsync(
                static (attempt, state) => state.Call.TakeFirst() is { } first ? new(first) : state.Pool.Attempt(state.Call, state.Call.Turn?.Token ?? attempt.CancellationToken),
                context,
                (Pool: this, Call: call));
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async ValueTask<RateLimitLease?> Queue(PooledCall call, CancellationToken cancellation)
    {
        var patience = call.Remaining(_time);
        if (patience <= TimeSpan.Zero)
        {
            return null;
        }

        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        waiting.CancelAfter(patience);
        try
        {
            return await _bulkhead.AcquireAsync(1, waiting.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Any other than a first attempt by itself, which <see cref="Send"/> makes in its own body: one method for both would be one more suspended layer per call.</summary>
    private async ValueTask<Outcome<HttpResponseMessage>> Attempt(PooledCall call, CancellationToken cancellation)
    {
        var attempt = UpstreamAttempt.Begin(call, _addresses, Options);
        HttpResponseMessage? answer = null;
        try
        {
            answer = await _connections.SendAsync(attempt.Request, cancellation);
            if (call.Body != BodyUse.Streamed)
            {
                await BufferedBody.Read(answer, call.Body == BodyUse.Decoded, Options.MaxResponseBytes, cancellation);
            }

            return attempt.Answered(answer, call, _time);
        }
#pragma warning disable CA1031 // An outcome.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            return attempt.Broke(broken, answer, cancellation.IsCancellationRequested);
        }
    }
}
