using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;
using Bff.Concurrency;
using Bff.Upstreams.Discovery;

namespace Bff.Upstreams;

/// <summary>
/// Sends calls to one set of addresses, which has its own connections, bulkhead, breaker and retry budget. An upstream has one pool for its
/// addresses, one for its canary, and one for each tenant with addresses of its own. A call passes these stages, outermost first:
/// <code>
/// bulkhead ─► breaker ─► first attempt ─► a second beside it (reads that are hedged or short of time) ─► further ones (repeatable calls,
/// within the budget)
/// </code>
/// Each attempt has a permit of the breaker, a timeout, an address (power of two choices) and a connection. The first attempt at a healthy
/// service runs by itself. The pipeline of <see cref="FurtherAttempts"/> makes all others. The caller gets the outcome of the last attempt
/// that was made: a refusal never replaces an answer. docs/life-of-a-request.md has a table of all outcomes.
/// </summary>
internal sealed partial class UpstreamPool : IDisposable
{
    private static readonly Sent BulkheadFull = new(null, UpstreamOutcome.Unavailable, TimeSpan.FromSeconds(1), FromFallback: false);
    private static readonly Sent NotFound = BulkheadFull; // The same answer: the name may resolve soon.

    private readonly PoolAddresses _addresses;
    private readonly HttpMessageInvoker _connections;
    private readonly ConcurrencyLimiter _bulkhead;
    private readonly RetryBudget _budget;
    private readonly TimeProvider _time;
    private readonly UpstreamLog.Pool? _log;
    private readonly (string Upstream, string Pool) _name;
    private FurtherAttempts? _further;

    /// <param name="options">The upstream's settings.</param>
    /// <param name="name">The pool's name: <c>main</c>, <c>canary</c> or a tenant.</param>
    /// <param name="addresses">The configured addresses; their names are not resolved yet.</param>
    /// <param name="services">The host's services that pools use.</param>
    public UpstreamPool(UpstreamOptions options, string name, IReadOnlyList<Uri> addresses, PoolServices services)
        : this(options, name, addresses, services, UpstreamConnections.Open(options), new RetryBudget(services.Time)) { }

    /// <summary>For tests, which replace the network.</summary>
    internal UpstreamPool(
        UpstreamOptions options,
        string name,
        IReadOnlyList<Uri> addresses,
        PoolServices services,
        HttpMessageInvoker connections,
        RetryBudget budget
    )
    {
        Options = options;
        _time = services.Time;
        _name = (services.Realm + options.Name, name);
        _log = services.Log?.For(_name.Upstream, name);
        _addresses = new PoolAddresses(addresses, services, _log);
        _connections = connections;
        _budget = budget;
        _bulkhead = new ConcurrencyLimiter(new() { PermitLimit = options.MaxConcurrency, QueueLimit = options.MaxQueue });
        Breaker = new CircuitBreaker(options.Breaker, _time, BreakerChanged);
    }

    public UpstreamOptions Options { get; }

    /// <summary>Number of bulkhead places in use, for metrics and tests.</summary>
    public long Places => Options.MaxConcurrency - _bulkhead.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>The circuit breaker, for metrics and tests.</summary>
    public CircuitBreaker Breaker { get; }

    /// <summary>The pipeline, made on first use: a host whose services are healthy does not load the package.</summary>
    internal FurtherAttempts Further =>
        _further
        ?? Interlocked.CompareExchange(ref _further, new(this, _name.Upstream, _name.Pool, _budget, _time, _log), null)
        ?? _further;

    private Sent Refused => new(null, UpstreamOutcome.Unavailable, Breaker.RetryAfter, FromFallback: false);

    /// <summary>
    /// Sends the call and returns its answer, good or bad, or the reason why there is none. Throws only when <paramref
    /// name="cancellation"/> is cancelled.
    /// </summary>
    public ValueTask<Sent> Send(PooledCall call, CancellationToken cancellation) =>
        _addresses.Current.Length == 0 || call.Request.Content is ArrivingContent
            ? SendLater(call, cancellation)
            : SendWhole(call, cancellation);

    /// <summary>
    /// Sends a call that first waits for the upstream's addresses, or whose body is sent on while it arrives. This is a method of its own
    /// so that the state machine of all other calls stays small.
    /// </summary>
    private async ValueTask<Sent> SendLater(PooledCall call, CancellationToken cancellation)
    {
        if (_addresses.Current.Length == 0 && !await _addresses.Found(call.Deadline.Left(_time), cancellation))
        {
            cancellation.ThrowIfCancellationRequested();
            return NotFound;
        }

        return call.Request.Content is ArrivingContent arriving && await SendArriving(arriving, call, cancellation) is { } arrived
            ? arrived
            : await SendWhole(call, cancellation);
    }

    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    private async ValueTask<Sent> SendWhole(PooledCall call, CancellationToken cancellation)
    {
        var place = _bulkhead.AttemptAcquire() is { IsAcquired: true } free ? free : await Queue(call, cancellation);
        if (place is not { IsAcquired: true })
        {
            return BulkheadFull;
        }

        try
        {
            var isRead = Repeatable.IsRead(call.Request);
            var further = 0;
            if (isRead)
            {
                further = Options.HedgeAfter is null ? Options.Retries : Math.Max(1, Options.Retries);
            }
            else
            {
                if (Repeatable.IsRepeatable(call.Request))
                {
                    further = Options.Retries;
                    await RequestCopy.MakeRepeatable(call.Request, cancellation);
                }

                // The connection pool repeats a request without a body by itself when a kept-alive connection turns out to be closed.
                call.Request.Content ??= new ByteArrayContent([]);
            }

            if (!Breaker.TryEnter(out var permit))
            {
                return Refused;
            }

            _budget.Request();
            AttemptOutcome outcome;
            if (permit.IsProbe)
            {
                outcome = await Further.Probe(call, permit, further, cancellation);
            }
            else
            {
                var limit = TimeLimit.Start(call.LimitOf(Options.Timeout, _time), _time, cancellation);
                var timer =
                    isRead && further > 0 && BesideAfter(call) is { } delay
                        ? BesideTimer.Start(new BesideAttempt(this, call, limit, cancellation), delay, _time)
                        : default;
                var attempt = UpstreamAttempt.Begin(call, _addresses.Current, Options);
                HttpResponseMessage? answer = null;
                try
                {
                    answer = await _connections.SendAsync(attempt.Request, limit.Token);
                    var body =
                        call.Body == BodyUse.Streamed
                            ? null
                            : await BufferedBody.Read(answer, call.Body == BodyUse.Decoded, Options.MaxResponseBytes, limit.Token);
                    outcome = attempt.Answered(answer, body, call, _time);
                }
#pragma warning disable CA1031 // The exception becomes an outcome.
                catch (Exception broken)
#pragma warning restore CA1031
                {
                    var beside = call.Beside;
                    var end = call.EndOf(broken, beside is { HasWon: true }, _time, cancellation);
                    outcome = attempt.Broke(broken, answer, end, end == AttemptEnd.Lost && beside!.Address != attempt.Address);
                }

                Breaker.Ended(permit, outcome.IsGood);
                timer.Dispose(); // No second attempt starts after this line.
                if (call.Beside is not { } second)
                {
                    limit.Dispose();
                }
                else
                {
                    further--;
                    second.Leave(limit);
                    outcome = await second.Settle(outcome);
                }

                if (outcome.IsFailure && further > 0)
                {
                    outcome = await Further.Repeat(call, outcome, further, cancellation);
                }
            }

            var sent = Sent.Of(outcome, _time, cancellation);
            if (KeepsPlace(call, sent.Response))
            {
                sent = sent with { Place = place };
                place = null;
            }

            return sent;
        }
        finally
        {
            place?.Dispose();
        }
    }

    public void Dispose()
    {
        _addresses.Dispose();
        _connections.Dispose();
        _bulkhead.Dispose();
    }

    /// <summary>
    /// Whether the answer keeps its bulkhead place until its body has ended. A streamed answer does, since a place stands for a connection.
    /// Answers that may last for hours (event streams, gRPC streams, WebSockets) do not, since a few hundred idle ones would fill the
    /// bulkhead.
    /// </summary>
    private static bool KeepsPlace(PooledCall call, HttpResponseMessage? response) =>
        call.Body == BodyUse.Streamed
        && response is { StatusCode: not System.Net.HttpStatusCode.SwitchingProtocols }
        && response.Content.Headers.ContentLength != 0
        && !AnswerType.IsLongLived(response.Content);

    private void BreakerChanged(BreakerState state)
    {
        if (state == BreakerState.Open)
        {
            _log?.BreakerOpened(Options.Breaker.BreakDuration);
        }
        else
        {
            _log?.BreakerClosed();
        }

        Further.BreakerChanged(state);
    }

    private async ValueTask<RateLimitLease?> Queue(PooledCall call, CancellationToken cancellation)
    {
        var left = call.Deadline.Left(_time);
        if (left <= TimeSpan.Zero)
        {
            return null;
        }

        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        waiting.CancelAfter(left);
        try
        {
            return await _bulkhead.AcquireAsync(1, waiting.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }
}
