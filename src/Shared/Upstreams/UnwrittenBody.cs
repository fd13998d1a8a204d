using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Refit;

namespace Bff.Upstreams;

/// <summary>A body of JSON that is already serialized.</summary>
/// <param name="Utf8">The document.</param>
public sealed record WrittenJson(ReadOnlyMemory<byte> Utf8);

/// <summary>A body that is serialized when its call is made, with the metadata of the call's host.</summary>
internal abstract class UnwrittenBody : HttpContent
{
    public abstract HttpContent Write(JsonSerializerContext json);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        throw new NotSupportedException("The call writes it.");

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>An unwritten body of a known type.</summary>
internal sealed class UnwrittenBody<T>(T item) : UnwrittenBody
{
    public override HttpContent Write(JsonSerializerContext json)
    {
        if (item is WrittenJson written)
        {
            return new JsonBytes(written.Utf8.ToArray());
        }

        if (item is UploadedFile file)
        {
            return file.Content();
        }

        var type =
            (JsonTypeInfo<T>?)json.GetTypeInfo(typeof(T))
            ?? throw new InvalidOperationException($"{json.GetType().Name} does not know {typeof(T).Name}.");
        return new JsonBytes(JsonSerializer.SerializeToUtf8Bytes(item, type));
    }
}

/// <summary>A JSON body in memory, which can be sent as often as needed.</summary>
internal sealed class JsonBytes : ByteArrayContent
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    public JsonBytes(byte[] utf8)
        : base(utf8)
    {
        Utf8 = utf8;
        Headers.ContentType = Json;
    }

    public ReadOnlyMemory<byte> Utf8 { get; }
}

/// <summary>
/// Refit's serializer for the generated clients. Keeps bodies unserialized; reads no answers, because none come through Refit.
/// </summary>
internal sealed class BodyTaker : IHttpContentSerializer, ISynchronousContentSerializer
{
    public HttpContent ToHttpContent<T>(T item) => new UnwrittenBody<T>(item);

    public HttpContent ToHttpContentSynchronous<T>(T item) => new UnwrittenBody<T>(item);

    public HttpContent ToStreamingHttpContent<T>(T item) => new UnwrittenBody<T>(item);

    public Task<T?> FromHttpContentAsync<T>(HttpContent content, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException($"A method of a typed client gives an UpstreamCall<{typeof(T).Name}>.");

    public string? GetFieldNameForProperty(PropertyInfo propertyInfo) => null;
}
