using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Bff.Concurrency;
using Bff.Requests;

namespace Bff.Upstreams;

/// <summary>
/// A call to a service that has not been made yet; the methods of typed clients return it. It knows its service, its request and how to
/// read the answer. The composer makes it for its request and within its deadline. Failures are values; only cancellation throws.
/// </summary>
/// <typeparam name="T">The type that the answer is read as; <see cref="NoContent"/> and <see cref="UpstreamFile"/> are read without
/// JSON.</typeparam>
public abstract class UpstreamCall<T>
{
    private protected UpstreamCall() { }

    /// <summary>Source-generated metadata of the value; needed if the value is cached.</summary>
    internal abstract JsonTypeInfo<T> Type { get; }

    internal abstract TimeProvider Time { get; }

    /// <summary>Makes the call outside of a composition.</summary>
    /// <param name="request">The client's request, whose identity headers and ids go to the service.</param>
    /// <param name="timeout">Timeout of all attempts together.</param>
    /// <param name="cancellation">Cancelled when the caller no longer waits.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> is cancelled.</exception>
    public ValueTask<UpstreamAnswer<T>> For(BffRequest request, TimeSpan timeout, CancellationToken cancellation) =>
        Make(new CallContext(request, Deadline.In(timeout, Time), cancellation));

    /// <summary>Returns the same call with another way to read its answer.</summary>
    /// <param name="read">Converts every answer, including failures.</param>
    /// <param name="type">Source-generated metadata of the new value.</param>
    public UpstreamCall<TOther> Read<TOther>(Func<UpstreamAnswer<T>, UpstreamAnswer<TOther>> read, JsonTypeInfo<TOther> type) =>
        new ProjectedCall<T, TOther>(this, read, type);

    /// <summary>
    /// Returns the same call with its value in the client's shape. The projection belongs to the part: if it throws, for any document, the
    /// part fails and nothing is cached.
    /// </summary>
    /// <param name="project">Converts the service's document.</param>
    /// <param name="type">Source-generated metadata of the shape; required if it is cached.</param>
    public UpstreamCall<TOther> As<TOther>(Func<T, TOther> project, JsonTypeInfo<TOther>? type = null) =>
        new ProjectedCall<T, TOther>(this, answer => answer.Map(project), type);

    internal abstract ValueTask<UpstreamAnswer<T>> Make(CallContext call);
}

/// <summary>A call whose answer is converted in a second step.</summary>
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

/// <summary>A call by a delegate, for example over a protocol other than REST.</summary>
internal sealed class HandMadeCall<T>(Func<CallContext, ValueTask<UpstreamAnswer<T>>> make, JsonTypeInfo<T>? type, TimeProvider time)
    : UpstreamCall<T>
{
    internal override JsonTypeInfo<T> Type =>
        type ?? throw new InvalidOperationException($"A part that is kept needs the metadata of {typeof(T).Name}.");

    internal override TimeProvider Time => time;

    internal override ValueTask<UpstreamAnswer<T>> Make(CallContext call) => make(call);
}

/// <summary>The request and the time limit of a call.</summary>
/// <param name="Request">The request that is being served; its caller's identity headers and ids go upstream.</param>
/// <param name="Deadline">The deadline of the part or the request.</param>
/// <param name="Cancellation">Cancelled when the request's deadline has passed, another required part has failed, or the client has
/// disconnected.</param>
internal readonly record struct CallContext(BffRequest Request, Deadline Deadline, CancellationToken Cancellation);
