using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Bff.Caching;
using Bff.Composition.Progressive;
using Bff.Concurrency;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Composition;

/// <summary>
/// Composes one answer from parts of several services:
/// 1. the endpoint declares its parts; 2. <see cref="Run"/> starts all parts without dependencies at the same time, and the others as soon
/// as the parts that they depend on have ended; 3. the first required part that fails decides the answer and cancels the rest; 4.
/// everything ends within one deadline and when the client disconnects; 5. <see cref="Compose{T}"/> builds the answer with <c>_meta</c> and
/// <c>Server-Timing</c>.
/// </summary>
public sealed partial class Composer : IDisposable
{
    /// <summary>Maximum number of parts; more would turn one request into a burst.</summary>
    public const int MaxParts = 10;

    private readonly CompositionServices _services;
    private readonly CompositionPolicies _policies;
    private readonly List<Part> _parts = new(4);
    private TimeLimit? _lifetime;
    private long _deadline;
    private Problem? _failure;
    private ArrivingRun? _arriving;
    private bool _isDisposed;

    private Composer(HttpContext context, CompositionServices services)
    {
        _services = services;
        Request = BffRequest.Of(context);
        Endpoint = context.GetEndpoint()?.Metadata.GetMetadata<EndpointName>()?.Name ?? "";
        _policies = services.Policies.Current;
    }

    internal BffRequest Request { get; }

    internal string Endpoint { get; }

    internal TimeProvider Time => _services.Time;

    internal FragmentCache Cache => _services.Cache;

    internal ILogger Logger => _services.Logger;

    internal CancellationToken Cancellation => _lifetime!.Value.Token;

    /// <summary>Lets an endpoint take a composer as a parameter.</summary>
    public static ValueTask<Composer?> BindAsync(HttpContext context)
    {
        var composer = For(context, context.RequestServices.GetRequiredService<CompositionServices>());
        context.Response.RegisterForDispose(composer);
        return new(composer);
    }

    /// <summary>Runs all parts; returns the problem that a failed required part caused, or null.</summary>
    /// <exception cref="OperationCanceledException">The client has disconnected.</exception>
    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    public async ValueTask<Problem?> Run()
    {
        using var activity = CompositionTelemetry.Start("compose ", Endpoint);
        StartClock();
        using var arriving = _arriving = Request.IsArriving ? new ArrivingRun(Request, BeginDeadline) : null;
        await Task.WhenAll(StartParts());
        if (HasFailed)
        {
            await TakeBack();
        }

        arriving?.ThrowIfFlawed();
        return Conclude();
    }

    /// <summary>Runs all parts and builds the answer from those that have a value; call it last.</summary>
    /// <param name="answer">
    /// Builds the answer; called only when every required part has its value. A progressive answer calls it again as parts end, so it must
    /// only read the parts and change nothing.
    /// </param>
    /// <param name="type">Source-generated metadata of the answer.</param>
    public Task<Composed<T>> Compose<T>(Func<T> answer, JsonTypeInfo<T> type) =>
        ProgressiveAsk.IsMade(Request.HttpContext!) && IsOnlyRead ? ComposeProgressively(answer, type) : ComposeWhole(answer, type);

    /// <summary>Releases the deadline's timer.</summary>
    public void Dispose()
    {
        if (!Interlocked.Exchange(ref _isDisposed, true))
        {
            _lifetime?.Dispose();
        }
    }

    internal IReadOnlyList<Part> Parts => _parts;

    /// <summary>How long a progressive answer collects parts for its first line.</summary>
    internal TimeSpan FirstAfter => (_policies.Endpoints.GetValueOrDefault(Endpoint) ?? EndpointPolicy.Default).FirstAfter;

    /// <summary>Starts the deadline; call it before any part is started.</summary>
    internal void StartClock()
    {
        // The time that a body took to arrive does not count against the services.
        _deadline = Request.IsArriving
            ? Time.TimestampIn(ArrivingRun.Longest)
            : Deadline.After(Request.BodyTimestamp ?? Request.StartTimestamp, _policies.Deadline, Time).Timestamp;
        _lifetime = TimeLimit.Start(Until.Left(Time), Time, Request.HttpContext!.RequestAborted);
    }

    internal Task[] StartParts()
    {
        var running = new Task[_parts.Count];
        for (var i = 0; i < running.Length; i++)
        {
            running[i] = _parts[i].Start();
        }

        return running;
    }

    /// <summary>
    /// Records the outcomes of all parts after they have ended; returns the problem that a failed required part caused, or null.
    /// </summary>
    /// <exception cref="OperationCanceledException">The client has disconnected.</exception>
    internal Problem? Conclude()
    {
        Request.HttpContext!.RequestAborted.ThrowIfCancellationRequested();
        CompositionTelemetry.Record(Endpoint, _parts);
        foreach (var part in _parts)
        {
            if (part.Status is not (PartStatus.Live or PartStatus.Cached or PartStatus.Skipped))
            {
                Request.AddDegraded(part.Name, part.Status.Name());
                _services.StandIns.Served(Endpoint, part.Name, part.Status);
            }
        }

        return _failure;
    }

    /// <summary>Cancels the parts that still run, because the answer no longer needs them.</summary>
    internal void Cancel() => _lifetime!.Value.Cancel();

    internal CompositionReport Report(IReadOnlyList<Part> parts) => new(parts, Time.GetElapsedTime(Request.StartTimestamp));

    /// <summary>Whether the client caused the error through the body that a part forwards.</summary>
    internal bool IsClientFault(Exception fault) => _arriving?.Takes(fault) == true;

    internal static Composer For(HttpContext context, CompositionServices services) => new(context, services);

    internal void Fail(Problem problem)
    {
        if (Interlocked.CompareExchange(ref _failure, problem, null) is null)
        {
            _lifetime!.Value.Cancel();
        }
    }

    internal PartPolicy? PolicyOf(string part) => _policies.Parts.GetValueOrDefault((Endpoint, part));

    internal CallContext Call(long started, TimeSpan timeout) =>
        new(Request, Until.Or(Deadline.After(started, timeout, Time)), Cancellation);

    /// <summary>
    /// Context of a write, which another part's failure does not cancel. If writes are undone, a disconnected client does not cancel it
    /// either, because its outcome must be known.
    /// </summary>
    internal CallContext WriteCall(long started, TimeSpan timeout) =>
        new(
            Request,
            Until.Or(Deadline.After(started, timeout, Time)),
            _arriving?.Token ?? (TakesBack ? CancellationToken.None : Request.HttpContext!.RequestAborted)
        );

    /// <summary>
    /// Context of work that only the gateway waits for. It continues after the client has disconnected and the deadline has passed, for at
    /// most the time of one request.
    /// </summary>
    internal CallContext LastCall() => new(Request, Deadline.In(_policies.Deadline, Time), CancellationToken.None);

    internal CallContext Call(BffRequest detached, TimeSpan timeout, CancellationToken read) =>
        new(detached, Deadline.In(timeout, Time), read);

    internal TimeSpan Bounded(TimeSpan timeout) => Until.Left(Time) is var left && left < timeout ? Positive(left) : timeout;

    internal CacheScope ScopeFor(CacheScope scope) => CompositionServices.ScopeFor(scope, Request);

    internal KeyValuePair<string, string>[] ClientHeadersFor(CacheScope scope) => _services.ClientHeadersFor(Request, scope);

    internal string? VariantFor(KeyValuePair<string, string>[] headers) => _services.VariantFor(Request, headers);

    /// <summary>Whether a write declares how it is undone.</summary>
    internal bool TakesBack { get; set; }

    /// <summary>Whether a required part's failure has decided the answer.</summary>
    internal bool HasFailed => Volatile.Read(ref _failure) is not null;

    internal static Activity? StartActivity(string part) => CompositionTelemetry.Start("part ", part);

    /// <summary>The request's deadline, which starts again when a body has arrived.</summary>
    private Deadline Until => new(Volatile.Read(ref _deadline));

    private void BeginDeadline()
    {
        Volatile.Write(ref _deadline, Time.TimestampIn(_policies.Deadline));
        _lifetime!.Value.Restart(_policies.Deadline);
    }

    private bool IsOnlyRead => !Request.IsArriving && !_parts.Exists(static part => part.Writes);

    private async Task<Composed<T>> ComposeWhole<T>(Func<T> answer, JsonTypeInfo<T> type) =>
        await Run() is { } failure ? new Composed<T>(failure, Report(_parts)) : new Composed<T>(answer(), type, Report(_parts));

    private async Task<Composed<T>> ComposeProgressively<T>(Func<T> answer, JsonTypeInfo<T> type)
    {
        var run = new ProgressiveRun(this);
        // Ensures that no part outlives the request, however the answer ends.
        Request.HttpContext!.Response.RegisterForDisposeAsync(run);
        if (await run.First() is not { } failure)
        {
            return new ProgressiveAnswer<T>(answer, type, run);
        }

        await run.DisposeAsync();
        return new Composed<T>(failure, Report(_parts));
    }

    internal TPart Add<TPart>(TPart part)
        where TPart : Part
    {
        if (_parts.Count == MaxParts)
        {
            throw new InvalidOperationException($"An endpoint has at most {MaxParts} parts; fetch lists with the service's batch call.");
        }

        _parts.Add(part);
        return part;
    }

    private static TimeSpan Positive(TimeSpan span) => span < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : span;
}
