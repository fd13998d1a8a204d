using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Refit;

namespace Bff.Upstreams;

/// <summary>
/// Makes an <see cref="UpstreamCall{T}"/> of what a method of a Refit interface declares. A host derives one class from it, for Refit's
/// generator looks for it in the host's own assembly.
/// </summary>
/// <typeparam name="T">What is read of the answer.</typeparam>
/// <param name="json">Source-generated metadata of what the host reads of its services and sends them.</param>
public abstract class DeclaredCalls<T>(JsonSerializerContext json) : IReturnTypeAdapter<UpstreamCall<T>, HttpResponseMessage>
{
    /// <inheritdoc />
    public UpstreamCall<T> Adapt(Func<CancellationToken, Task<HttpResponseMessage>> invoke) => new DeclaredCall<T>(invoke, json);
}

/// <summary>
/// A call that a generated method has declared. 1. Refit's code writes the request and, when the call is made, hands it to the client's
/// handler;
/// 2. which keeps it unsent (<see cref="RequestTaker"/>); 3. here it is sent for a request and within a deadline, and its answer read.
/// Nothing ambient says whose call it is, and no body comes by Refit, which would read it without a bound.
/// </summary>
internal sealed class DeclaredCall<T>(Func<CancellationToken, Task<HttpResponseMessage>> write, JsonSerializerContext json)
    : UpstreamCall<T>,
        IDeclaredCall
{
    private WrittenRequest? _request;
    private bool _onlyReads;

    internal override JsonTypeInfo<T> Type =>
        (JsonTypeInfo<T>?)json.GetTypeInfo(typeof(T))
        ?? throw new InvalidOperationException($"{json.GetType().Name} has no [JsonSerializable(typeof({typeof(T).Name}))].");

    internal override TimeProvider Time => Request.Upstream.Time;

    /// <summary>Refit writes a message once: it is kept, for who makes the call again.</summary>
    public WrittenRequest Request => _request ??= RequestTaker.Take(write);

    /// <summary>Says of a POST that it changes nothing, so that it may be repeated, hedged and shared.</summary>
    public DeclaredCall<T> OnlyReads()
    {
        _onlyReads = true;
        return this;
    }

    internal override ValueTask<UpstreamAnswer<T>> Make(CallContext call)
    {
        var request = Request;
        if (request.IsRefused)
        {
            return new(UpstreamAnswer<T>.No(UpstreamOutcome.NotFound, 404));
        }

        var message = request.Message(json, _onlyReads);
        if (message.Content is ArrivingContent upload)
        {
            message.Options.Set(Repeatable.Once, true);
            upload.TellFaults(message);
        }

        return typeof(T) == typeof(UpstreamFile) ? File(request.Upstream, message, call)
            : typeof(T) == typeof(NoContent) ? request.Upstream.Send<T>(message, null!, call)
            : request.Upstream.Make(request.What(message), message, Type, call);
    }

    private static async ValueTask<UpstreamAnswer<T>> File(UpstreamClient upstream, HttpRequestMessage message, CallContext call) =>
        (UpstreamAnswer<T>)(object)await upstream.GetFile(message, call);
}

/// <summary>A call whose request can be seen without knowing what is read of its answer.</summary>
internal interface IDeclaredCall
{
    WrittenRequest Request { get; }
}
