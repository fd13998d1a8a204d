using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;
using Bff.Concurrency;
using Bff.Upstreams.Discovery;

namespace Bff.Upstreams;

/// <summary>
/// One set of addresses with its own connections, bulkhead, breaker and retry budget: an upstream's own, its canary's, or
/// a tenant's. A call passes, from the outermost in:
/// <code>
/// bulkhead ─► breaker ─► first attempt ─► a second beside it (reads that are hedged or short of time) ─► further ones (repeatable calls,
/// within the budget)
/// </code>
/// Each attempt has the breaker's leave, its time-out, an address (power of two) and a connection. The first attempt of a healthy service
/// runs by itself; all others are made by the pipeline of <see cref="FurtherAttempts"/>. A refusal never takes the place of an answer: what
/// the last attempt brought is what the caller gets. See the table of docs/life-of-a-request.md.
/// </summary>
internal sealed partial class UpstreamPool : IDisposable
{
    private static readonly Sent BulkheadFull = new(null, UpstreamOutcome.Unavailable, TimeSpan.FromSeconds(1), FromFallback: false);
    private static readonly Sent NotFound = BulkheadFull; // Its name is not known, or not yet: it may be soon.

    private readonly PoolAddresses _addresses;
    private readonly HttpMessageInvoker _connections;
    private readonly ConcurrencyLimiter _bulkhead;
    private readonly RetryBudget _budget;
    private readonly TimeProvider _time;
    private readonly UpstreamLog.Pool? _log;
    private readonly (string Upstream, string Pool) _name;
    private FurtherAttempts? _further;

    /// <param name="options">What is known of the service.</param>
    /// <param name="name">Of the pool: <c>main</c>, <c>canary</c> or a tenant.</param>
    /// <param name="addresses">As they are written.</param>
    /// <param name="services">What pools need of the host.</param>
    public UpstreamPool(UpstreamOptions options, string name, IReadOnlyList<Uri> addresses, PoolServices services)
        : this(options, name, addresses, services, UpstreamConnections.Open(options), new RetryBudget(services.Time)) { }

    /// <summary>For tests, which have a network of their own.</summary>
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

    /// <summary>Places of the bulkhead that calls hold; for metrics and tests.</summary>
    public long Places => Options.MaxConcurrency - _bulkhead.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>For metrics and tests.</summary>
    public CircuitBreaker Breaker { get; }

    /// <summary>Made when it is first needed: a host whose services are well does not load the package.</summary>
    internal FurtherAttempts Further =>
        _further
        ?? Interlocked.CompareExchange(ref _further, new(this, _name.Upstream, _name.Pool, _budget, _time, _log), null)
        ?? _further;

    private Sent Refused => new(null, UpstreamOutcome.Unavailable, Breaker.RetryAfter, FromFallback: false);

    /// <summary>
    /// Sends the call and gives its answer, good or bad, or the reason why there is none. Throws only when <paramref name="cancellation"/>
    /// is cancelled.
    /// </summary>
    public ValueTask<Sent> Send(PooledCall call, CancellationToken cancellation) =>
        _addresses.Current.Length == 0 || call.Request.Content is ArrivingContent
            ? SendLater(call, cancellation)
            : SendWhole(call, cancellation);

    /// <summary>
    /// A call that waits for the upstream's addresses first, or whose body is sent on as it arrives. Apart from the others, which would
    /// carry what it remembers while it waits.
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

                // The connection pool repeats bodiless requests by itself when a kept-alive connection turns out to be closed.
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
#pragma warning disable CA1031 // An outcome.
                catch (Exception broken)
#pragma warning restore CA1031
                {
                    var beside = call.Beside;
                    var end = call.EndOf(broken, beside is { HasWon: true }, _time, cancellation);
                    outcome = attempt.Broke(broken, answer, end, end == AttemptEnd.Lost && beside!.Address != attempt.Address);
                }

                Breaker.Ended(permit, outcome.IsGood);
                timer.Dispose(); // From here on no second attempt starts.
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
    /// An answer that is passed on holds its place until it has ended: a place stands for a connection. Those that are meant to last for
    /// hours (events, calls, sockets) hold none, else a few hundred idle ones would be all that a service is asked for.
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
