using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Edge;

/// <summary>The form in which a client uses gRPC.</summary>
internal enum GrpcForm
{
    /// <summary>The request is not gRPC, or its endpoint does not take gRPC.</summary>
    None,

    /// <summary>gRPC over HTTP/2 or HTTP/3, with trailers.</summary>
    Plain,

    /// <summary>gRPC-Web over any HTTP version, with the trailers in the last frame of the body.</summary>
    Web,

    /// <summary>gRPC-Web in Base64.</summary>
    WebText,
}

/// <summary>Determines the form of gRPC in a request from its <c>Content-Type</c> and its route.</summary>
internal static class GrpcForms
{
    private const string Grpc = "application/grpc";
    private const string Web = "application/grpc-web";
    private const string WebText = "application/grpc-web-text";

    /// <summary>
    /// Determines the form of the response. A gRPC client gets a gRPC response even when no endpoint matched. An endpoint that is not a
    /// gRPC route responds to every client in its own way.
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

    /// <summary>Returns the media type of a response, with the message format that the other side named (<c>+proto</c>).</summary>
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
