using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Refit;

namespace Bff.Upstreams;

/// <summary>
/// Converts the methods of a Refit interface into <see cref="UpstreamCall{T}"/>. A host derives one class from it, because Refit's
/// generator looks for it in the host's own assembly.
/// </summary>
/// <typeparam name="T">The type that the answer is read as.</typeparam>
/// <param name="json">Source-generated metadata of the host's upstream documents.</param>
public abstract class DeclaredCalls<T>(JsonSerializerContext json) : IReturnTypeAdapter<UpstreamCall<T>, HttpResponseMessage>
{
    /// <inheritdoc />
    public UpstreamCall<T> Adapt(Func<CancellationToken, Task<HttpResponseMessage>> invoke) => new DeclaredCall<T>(invoke, json);
}

/// <summary>
/// A call that a generated method declares. 1. When the call is made, Refit's code writes the request and passes it to the client's
/// handler;
/// 2. the handler keeps it unsent (<see cref="RequestTaker"/>); 3. this class sends it for a request and within a deadline, and reads the
/// answer. No ambient state says for whom the call is, and Refit reads no body, since it would do so without a limit.
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

    /// <summary>The request; kept, because Refit writes it once but the call may be made again.</summary>
    public WrittenRequest Request => _request ??= RequestTaker.Take(write);

    /// <summary>Declares that a POST changes nothing, so that it may be repeated, hedged and shared.</summary>
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

/// <summary>Gives access to the request of a call without its type argument.</summary>
internal interface IDeclaredCall
{
    WrittenRequest Request { get; }
}
