using System.Buffers.Binary;
using System.Globalization;
using Bff.Dev.Upstreams.Data;
using Catalog.V1;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bff.Dev.Upstreams;

/// <summary>
/// The catalogue over gRPC, unary calls alone: one frame (compressed flag, length, message) in, one frame and the trailer
/// <c>grpc-status</c> out. HTTP/2 with prior knowledge.
/// </summary>
public sealed class Catalog() : SampleService("catalog")
{
    internal const string ContentType = "application/grpc";
    private const int FrameHead = 5;
    private const int InvalidArgument = 3;
    private const int NotFound = 5;
    private const int Unimplemented = 12;
    private const int Internal = 13;

    private static readonly Product[] Messages = [.. Shop.Products.Select(Message)];
    private static readonly ReadOnlyMemory<byte>[] Frames = [.. Messages.Select(Frame)];

    internal override HttpProtocols Protocols => HttpProtocols.Http2;

    internal override Task HandleAsync(Exchange exchange)
    {
        if (exchange.Request.Method != "POST") return Answer.MethodNotAllowedAsync(exchange, "POST");
        if (exchange.Request.ContentType?.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) != true)
            return Answer.ProblemAsync(exchange, 415, "unsupported_media_type", "gRPC alone is spoken here.");

        var frame = exchange.Body;
        if (frame.Length < FrameHead || BinaryPrimitives.ReadInt32BigEndian(frame.Span[1..]) != frame.Length - FrameHead)
            return FailAsync(exchange, Internal, "a unary call is one whole frame");
        if (frame.Span[0] != 0) return FailAsync(exchange, Unimplemented, "compressed messages are not supported");

        try
        {
            return exchange.Request.Path.Value switch
            {
                "/catalog.v1.ProductCatalog/GetProduct" => GetProductAsync(exchange, GetProductRequest.Parser.ParseFrom(frame.Span[FrameHead..])),
                "/catalog.v1.ProductCatalog/GetProducts" => GetProductsAsync(exchange, GetProductsRequest.Parser.ParseFrom(frame.Span[FrameHead..])),
                _ => FailAsync(exchange, Unimplemented, "no such method"),
            };
        }
        catch (InvalidProtocolBufferException)
        {
            return FailAsync(exchange, InvalidArgument, "the message cannot be read");
        }
    }

    /// <summary>Ends a call without a message, whatever went before.</summary>
    internal static Task FailAsync(Exchange exchange, int status, string message)
    {
        exchange.Response.ContentType = ContentType;
        exchange.Response.AppendTrailer("grpc-status", status.ToString(CultureInfo.InvariantCulture));
        exchange.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(message));
        return Task.CompletedTask;
    }

    private static Task GetProductAsync(Exchange exchange, GetProductRequest request) =>
        Shop.IndexOf(request.Id) is >= 0 and var index ? SendAsync(exchange, Frames[index]) : FailAsync(exchange, NotFound, "no such product");

    private static Task GetProductsAsync(Exchange exchange, GetProductsRequest request)
    {
        var answer = new GetProductsResponse();
        answer.Products.AddRange(Shop.IndexesOf(request.Ids).Select(index => Messages[index]));
        return SendAsync(exchange, Frame(answer));
    }

    private static Task SendAsync(Exchange exchange, ReadOnlyMemory<byte> frame)
    {
        exchange.Response.ContentType = ContentType;
        exchange.Response.AppendTrailer("grpc-status", "0");
        return exchange.Response.Body.WriteAsync(frame, exchange.Context.RequestAborted).AsTask();
    }

    private static ReadOnlyMemory<byte> Frame(IMessage message)
    {
        var size = message.CalculateSize();
        var frame = new byte[FrameHead + size];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        message.WriteTo(frame.AsSpan(FrameHead));
        return frame;
    }

    private static Product Message(ProductDocument from)
    {
        var product = new Product
        {
            Id = from.Id,
            Name = from.Name,
            Description = from.Description,
            Brand = from.Brand,
            Category = from.Category,
            ImageUrl = from.ImageUrl,
            UpdatedAt = from.UpdatedAt.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        };
        product.Gallery.Add(from.Gallery);
        product.Attributes.Add(from.Attributes);
        product.Variants.Add(from.Variants.Select(v => new global::Catalog.V1.Variant { Sku = v.Sku, Size = v.Size, Color = v.Color }));
        return product;
    }
}
