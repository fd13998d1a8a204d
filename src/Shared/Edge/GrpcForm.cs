using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Edge;

/// <summary>How a client speaks gRPC.</summary>
internal enum GrpcForm
{
    /// <summary>It does not, or not where it may.</summary>
    None,

    /// <summary>Over HTTP/2 or HTTP/3, with trailers.</summary>
    Plain,

    /// <summary>gRPC-Web: over any HTTP, the trailers as the last frame of the body.</summary>
    Web,

    /// <summary>The same in Base64.</summary>
    WebText,
}

/// <summary>Tells how a request speaks gRPC, by its <c>Content-Type</c> and its route.</summary>
internal static class GrpcForms
{
    private const string Grpc = "application/grpc";
    private const string Web = "application/grpc-web";
    private const string WebText = "application/grpc-web-text";

    /// <summary>
    /// Decides in which form the answer goes out. Where no endpoint answers, a gRPC client is answered in its own form too; an endpoint
    /// that is no gRPC route answers everybody as it does.
    /// </summary>
    public static GrpcForm Of(HttpContext context)
    {
        var request = context.Request;
        if (
            request.ContentType is not { } type
            || !type.StartsWith(Grpc, StringComparison.OrdinalIgnoreCase)
            || !HttpMethods.IsPost(request.Method)
        )
        {
            return GrpcForm.None;
        }

        var endpoint = context.GetEndpoint();
        var route = endpoint?.Metadata.GetMetadata<GrpcRoute>();
        if (IsType(type, Grpc))
        {
            return (route is not null || endpoint is not RouteEndpoint) && HasTrailers(request.Protocol) ? GrpcForm.Plain : GrpcForm.None;
        }

        return route is not { TakesWeb: true } ? GrpcForm.None
            : IsType(type, Web) ? GrpcForm.Web
            : IsType(type, WebText) ? GrpcForm.WebText
            : GrpcForm.None;
    }

    /// <summary>The media type of an answer in a form, with the message format that the other side named (<c>+proto</c>).</summary>
    public static string MediaType(GrpcForm form, ReadOnlySpan<char> other)
    {
        var type = form switch
        {
            GrpcForm.Web => Web,
            GrpcForm.WebText => WebText,
            _ => Grpc,
        };
        var format = other.IndexOf('+');
        return format < 0 ? type : string.Concat(type, other[format..]);
    }

    private static bool HasTrailers(string protocol) => HttpProtocol.IsHttp2(protocol) || HttpProtocol.IsHttp3(protocol);

    private static bool IsType(string type, string name) =>
        type.StartsWith(name, StringComparison.OrdinalIgnoreCase) && (type.Length == name.Length || type[name.Length] is '+' or ';' or ' ');
}
