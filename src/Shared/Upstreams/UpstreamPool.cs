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
/// </summary>
internal sealed class UpstreamPool : IDisposable
{
    private readonly UpstreamAddress[] _addresses;
    private readonly HttpMessageInvoker _connections;
    private readonly ConcurrencyLimiter _bulkhead;
    private readonly ResiliencePipeline<HttpResponseMessage> _once;
    private readonly ResiliencePipeline<HttpResponseMessage> _repeatable;
    private readonly ResiliencePipeline<HttpResponseMessage> _read;
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
        (_once, _repeatable, _read) = UpstreamResilience.Build(options, Breaker, _budget, time);
    }

    public UpstreamOptions Options { get; }

    /// <summary>Closed, open or half-open; for metrics and tests.</summary>
    public CircuitBreakerStateProvider Breaker { get; } = new();

    /// <summary>Sends the call and gives its answer, good or bad; the lease goes back when the caller disposes of it.</summary>
    /// <exception cref="BulkheadFullException">No place within the queue.</exception>
    /// <exception cref="BrokenCircuitException">The breaker is open.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Outcome<HttpResponseMessage>> Send(UpstreamCall call, CancellationToken cancellation)
    {
        using var place = _bulkhead.AttemptAcquire() is { IsAcquired: true } free ? free : await Queue(call, cancellation);
        if (!place.IsAcquired)
        {
            return Outcome.FromException<HttpResponseMessage>(new BulkheadFullException());
        }

        var isRead = Repeatable.IsRead(call.Request);
        var pipeline = isRead ? _read : Repeatable.IsRepeatable(call.Request) ? _repeatable : _once;
        if (!isRead && pipeline == _repeatable)
        {
            await RequestCopy.MakeRepeatable(call.Request, cancellation);
        }

        if (!isRead)
        {
            // The connection pool repeats bodiless requests by itself when a kept-alive connection turns out to be closed.
            call.Request.Content ??= new ByteArrayContent([]);
        }

        _budget.Request();
        var context = ResilienceContextPool.Shared.Get(cancellation);
        context.Properties.Set(UpstreamResilience.Call, call);
        try
        {
            return await pipeline.ExecuteOutcomeAsync(static (attempt, state) => state.Pool.Attempt(state.Call, attempt.CancellationToken), context, (Pool: this, Call: call));
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public void Dispose()
    {
        _connections.Dispose();
        _bulkhead.Dispose();
    }

    private async ValueTask<RateLimitLease> Queue(UpstreamCall call, CancellationToken cancellation)
    {
        var patience = call.Remaining(_time);
        if (patience <= TimeSpan.Zero)
        {
            return _bulkhead.AttemptAcquire(0);
        }

        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        waiting.CancelAfter(patience);
        try
        {
            return await _bulkhead.AcquireAsync(1, waiting.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new BulkheadFullException();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<HttpResponseMessage>> Attempt(UpstreamCall call, CancellationToken cancellation)
    {
        var number = Interlocked.Increment(ref call.Attempts);
        var address = UpstreamAddress.Choose(_addresses, call.LastAddress);
        call.LastAddress = address;
        var request = number == 1 ? call.Request : RequestCopy.Of(call.Request);
        request.RequestUri = call.UriAt(address.Uri, Options.Addresses);

        var failed = true;
        address.Started();
        HttpResponseMessage? response = null;
        try
        {
            response = await _connections.SendAsync(request, cancellation);
            if (call.BuffersBody)
            {
                await BufferedBody.Read(response, Options.MaxResponseBytes, cancellation);
            }

            failed = UpstreamResilience.IsFailure(response);
            return Outcome.FromResult(response);
        }
#pragma warning disable CA1031 // Whatever breaks an attempt is its outcome; the strategies decide what it means.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            response?.Dispose();
            failed = !cancellation.IsCancellationRequested || broken is not OperationCanceledException;
            return Outcome.FromException<HttpResponseMessage>(broken);
        }
        finally
        {
            address.Ended(failed);
        }
    }
}

/// <summary>All places and the queue of a bulkhead are taken.</summary>
#pragma warning disable CA1032, CA1064 // Internal to the stage; carries nothing.
internal sealed class BulkheadFullException() : Exception("The bulkhead is full.");
#pragma warning restore CA1032, CA1064
