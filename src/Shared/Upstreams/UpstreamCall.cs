using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Bff.Concurrency;
using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>
/// A call to a service that has not been made yet: what the methods of a typed client give. It knows its service, what to ask and how to
/// read the answer; the composer makes it, for its request and within its deadline. Failures are values; only cancellation throws.
/// </summary>
/// <typeparam name="T">What the gateway reads of the answer; <see cref="NoContent"/> and <see cref="UpstreamFile"/> are read without
/// JSON.</typeparam>
public abstract class UpstreamCall<T>
{
    private protected UpstreamCall() { }

    /// <summary>Source-generated metadata of the value; asked for where the value is kept.</summary>
    internal abstract JsonTypeInfo<T> Type { get; }

    internal abstract TimeProvider Time { get; }

    /// <summary>Makes the call by itself, where no composition makes it.</summary>
    /// <param name="request">For whom: its caller's identity headers and ids go to the service.</param>
    /// <param name="timeout">How long it may take, with all its attempts.</param>
    /// <param name="cancellation">The caller no longer waits.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> is cancelled.</exception>
    public ValueTask<UpstreamAnswer<T>> For(BffRequest request, TimeSpan timeout, CancellationToken cancellation) =>
        Make(new CallContext(request, Deadline.In(timeout, Time), cancellation));

    /// <summary>The same call with another reading of its answer.</summary>
    /// <param name="read">Gets every answer, failures included.</param>
    /// <param name="type">Source-generated metadata of the new value.</param>
    public UpstreamCall<TOther> Read<TOther>(Func<UpstreamAnswer<T>, UpstreamAnswer<TOther>> read, JsonTypeInfo<TOther> type) =>
        new ProjectedCall<T, TOther>(this, read, type);

    /// <summary>
    /// The same call with its value in the client's shape. The projection is the part's: where it fails, whatever is in the document, the
    /// part fails and nothing is kept.
    /// </summary>
    /// <param name="project">Makes the shape of the service's document.</param>
    /// <param name="type">Source-generated metadata of the shape; needed where it is kept.</param>
    public UpstreamCall<TOther> As<TOther>(Func<T, TOther> project, JsonTypeInfo<TOther>? type = null) =>
        new ProjectedCall<T, TOther>(this, answer => answer.Map(project), type);

    internal abstract ValueTask<UpstreamAnswer<T>> Make(CallContext call);
}

/// <summary>A call whose answer is read in a second step.</summary>
internal sealed class ProjectedCall<TFrom, T>(
    UpstreamCall<TFrom> call,
    Func<UpstreamAnswer<TFrom>, UpstreamAnswer<T>> read,
    JsonTypeInfo<T>? type
) : UpstreamCall<T>
{
    internal override JsonTypeInfo<T> Type =>
        type ?? throw new InvalidOperationException($"A part that is kept needs the metadata of {typeof(T).Name}: give it to As.");

    internal override TimeProvider Time => call.Time;

    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    internal override async ValueTask<UpstreamAnswer<T>> Make(CallContext context) => read(await call.Make(context));
}

/// <summary>A call that is made by hand, as over a protocol other than REST.</summary>
internal sealed class HandMadeCall<T>(Func<CallContext, ValueTask<UpstreamAnswer<T>>> make, JsonTypeInfo<T>? type, TimeProvider time)
    : UpstreamCall<T>
{
    internal override JsonTypeInfo<T> Type =>
        type ?? throw new InvalidOperationException($"A part that is kept needs the metadata of {typeof(T).Name}.");

    internal override TimeProvider Time => time;

    internal override ValueTask<UpstreamAnswer<T>> Make(CallContext call) => make(call);
}

/// <summary>For whom an upstream is called and for how long.</summary>
/// <param name="Request">The request that is being served: its caller's identity headers and ids go upstream.</param>
/// <param name="Deadline">When the part's, or the request's, time is up.</param>
/// <param name="Cancellation">Cancelled when the request's deadline has passed, another required part failed, or the client has
/// gone.</param>
internal readonly record struct CallContext(BffRequest Request, Deadline Deadline, CancellationToken Cancellation);
