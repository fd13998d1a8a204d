using System.Globalization;
using Bff.Configuration;
using Bff.Edge;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>Recognizes gRPC's own headers and binary metadata, which pass in both directions on a gRPC route.</summary>
internal static class GrpcMetadata
{
    public static bool IsGrpc(string name) =>
        name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) || name.EndsWith("-bin", StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// Adds what a gRPC service gets besides the headers of every route: HTTP/2, <c>TE</c>, gRPC's own headers, and what is left of the
/// client's deadline.
/// </summary>
internal sealed class GrpcRequestTransform(TimeProvider time) : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        if (context.HttpContext.Features.Get<GrpcCall>() is not { } call)
        {
            return default;
        }

        var outgoing = context.ProxyRequest;
        outgoing.Version = System.Net.HttpVersion.Version20;
        outgoing.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        foreach (var (name, values) in context.HttpContext.Request.Headers)
        {
            if (
                GrpcMetadata.IsGrpc(name)
                && !name.Equals("grpc-timeout", StringComparison.OrdinalIgnoreCase)
                && !outgoing.Headers.NonValidated.Contains(name)
            )
            {
                AddHeader(context, name, values);
            }
        }

        outgoing.Headers.TryAddWithoutValidation("TE", "trailers"); // Tells the service that no proxy on the way drops trailers.
        if (call.Left(time) is { } left)
        {
            outgoing.Headers.TryAddWithoutValidation("grpc-timeout", GrpcTimeout.Write(left));
        }

        if (call.Form is not GrpcForm.Plain && outgoing.Content is { } content)
        {
            content.Headers.Remove("Content-Type");
            content.Headers.Remove("Content-Length");
            content.Headers.TryAddWithoutValidation(
                "Content-Type",
                GrpcForms.MediaType(GrpcForm.Plain, context.HttpContext.Request.ContentType)
            );
        }

        return default;
    }
}

/// <summary>
/// Checks the head of a service's answer: gRPC passes; anything else (a proxy's error page, no answer) becomes an error of the gateway,
/// which the edge writes as gRPC.
/// </summary>
internal sealed class GrpcResponseTransform : ResponseTransform
{
    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } answer || context.HttpContext.Features.Get<GrpcCall>() is not { } call)
        {
            return default;
        }

        var response = context.HttpContext.Response;
        var http = (int)answer.StatusCode;
        if (http != StatusCodes.Status200OK || !AnswerType.IsGrpc(answer.Content))
        {
            GatewayResponseTransform.Replace(context, http >= 400 ? http : StatusCodes.Status502BadGateway);
            return default;
        }

        call.IsAnswered = true;
        response.ContentType = GrpcForms.MediaType(
            call.Form,
            call.Form is GrpcForm.Plain ? AnswerType.Of(answer.Content) : context.HttpContext.Request.ContentType
        );
        response.ContentLength = null; // The length is 0 for an answer without messages, to which gRPC-Web adds a frame.
        var status = GrpcStatus.Of(answer);
        // A head with a status is the whole answer; in gRPC-Web its metadata belongs into the last frame.
        var headers =
            status is not null
            && call.Form is not GrpcForm.Plain
            && context.HttpContext.Features.Get<IHttpResponseTrailersFeature>() is { } end
                ? end.Trailers
                : response.Headers;
        foreach (var (name, values) in answer.Headers.NonValidated)
        {
            if (GrpcMetadata.IsGrpc(name))
            {
                headers[name] = ResponseHeadersTransform.ValuesOf(values);
            }
        }

        if (status is { } known)
        {
            RpcOutcome.Note(context.HttpContext, known);
        }

        return default;
    }
}

/// <summary>
/// Copies a service's trailers: the status, gRPC's own, binary metadata, <c>Retry-After</c> and <c>Headers:Return</c>.
/// </summary>
internal sealed class GrpcTrailersTransform(Reloadable<ReturnedHeaders> allowed) : ResponseTrailersTransform
{
    public override ValueTask ApplyAsync(ResponseTrailersTransformContext context)
    {
        var http = context.HttpContext;
        if (http.Features.Get<GrpcCall>() is not { } call || http.Features.Get<IHttpResponseTrailersFeature>() is not { } feature)
        {
            return default;
        }

        if (call.End is { } end)
        {
            Write(feature.Trailers, http, end.Status, end.Message);
            return default;
        }

        var names = allowed.Current;
        var answer = context.ProxyResponse!;
        foreach (var (name, values) in answer.TrailingHeaders.NonValidated)
        {
            if (GrpcMetadata.IsGrpc(name) || names.IsTrailer(name))
            {
                feature.Trailers[name] = ResponseHeadersTransform.ValuesOf(values);
            }
        }

        if (GrpcStatus.InTrailers(answer) is { } status)
        {
            RpcOutcome.Note(http, status);
        }
        else if (!answer.Headers.NonValidated.Contains("grpc-status"))
        {
            Write(feature.Trailers, http, GrpcCode.Unknown, "The service ended the call without a status.");
        }

        return default;
    }

    private static void Write(IHeaderDictionary trailers, HttpContext context, int status, string message)
    {
        trailers["grpc-status"] = status.ToString(CultureInfo.InvariantCulture);
        trailers["grpc-message"] = GrpcRefusal.Encode(message);
        RpcOutcome.Note(context, status);
    }
}
