using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Serialization.Metadata;
using Bff.Edge;
using Google.Protobuf;

namespace Bff.Upstreams;

/// <summary>
/// Unary gRPC calls that read, over HTTP/2 (gRPC over HTTP/2 protocol, github.com/grpc/grpc PROTOCOL-HTTP2): one length-prefixed
/// message each way, status in the trailers. Identity, resilience and limits are those of every other call.
/// </summary>
/// <param name="upstream">Where to.</param>
public sealed class GrpcClient(UpstreamClient upstream)
{
    private const int PrefixLength = 5;
    private static readonly MediaTypeHeaderValue Grpc = new("application/grpc");

    /// <summary>Calls a method that changes nothing; it may be repeated.</summary>
    /// <param name="method">Service and method, such as <c>catalog.v1.ProductCatalog/GetProduct</c>.</param>
    /// <param name="message">The request message.</param>
    /// <param name="parser">Of the answer's message.</param>
    /// <param name="read">Makes the value of the answer's message; null of one that cannot be right.</param>
    /// <param name="type">Source-generated metadata of the value.</param>
    public UpstreamCall<TValue> Read<T, TValue>(
        string method,
        IMessage message,
        MessageParser<T> parser,
        Func<T, TValue?> read,
        JsonTypeInfo<TValue> type
    )
        where T : IMessage<T>
        where TValue : class =>
        new HandMadeCall<TValue>(
            async call =>
            {
                var answer = await Read(method, message, parser, call);
                return !answer.IsOk ? answer.As<TValue>()
                    : read(answer.Value) is { } value ? answer.Map(_ => value)
                    : UpstreamAnswer<TValue>.No(UpstreamOutcome.Failed, answer.Status);
            },
            type,
            upstream.Time
        );

    internal async ValueTask<UpstreamAnswer<T>> Read<T>(string method, IMessage message, MessageParser<T> parser, CallContext call)
        where T : IMessage<T>
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(method, UriKind.Relative))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Frame(message)) { Headers = { ContentType = Grpc } },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.TryAddWithoutValidation("grpc-accept-encoding", "identity");
        request.Options.Set(Repeatable.ReadsOnly, true);

        using var sent = await upstream.SendRaw(request, call);
        if (sent is not { Response: { } response, Body: { } body })
        {
            return sent.No<T>();
        }

        var status = (int)response.StatusCode;
        return GrpcStatus.Of(response) switch
        {
            GrpcCode.Ok when status == 200 => Unframe(body.Memory.Span, parser, status),
            GrpcCode.NotFound or GrpcCode.PermissionDenied => UpstreamAnswer<T>.No(UpstreamOutcome.NotFound, 404),
            GrpcCode.DeadlineExceeded => UpstreamAnswer<T>.No(UpstreamOutcome.Timeout, status),
            _ => UpstreamAnswer<T>.No(UpstreamOutcome.Failed, status, sent.RetryAfter),
        };
    }

    private static byte[] Frame(IMessage message)
    {
        var size = message.CalculateSize();
        var frame = new byte[PrefixLength + size];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        message.WriteTo(frame.AsSpan(PrefixLength));
        return frame;
    }

    private static UpstreamAnswer<T> Unframe<T>(ReadOnlySpan<byte> body, MessageParser<T> parser, int status)
        where T : IMessage<T>
    {
        if (body.Length < PrefixLength || body[0] != 0 || BinaryPrimitives.ReadInt32BigEndian(body[1..]) != body.Length - PrefixLength)
        {
            return UpstreamAnswer<T>.No(UpstreamOutcome.Failed, status);
        }

        try
        {
            return UpstreamAnswer<T>.Ok(parser.ParseFrom(body[PrefixLength..]), status);
        }
        catch (InvalidProtocolBufferException)
        {
            return UpstreamAnswer<T>.No(UpstreamOutcome.Failed, status);
        }
    }
}
