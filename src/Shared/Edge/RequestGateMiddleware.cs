using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>
/// Lets through only requests that mean the same to every reader:
/// 1. one message length (RFC 9112 section 6.3); 2. one canonical path, which is from here on what is routed, checked and forwarded;
/// 3. a method that is one to every reader; 4. a body whose flaws are always the client's.
/// Runs before forwarded headers are applied: an absolute-form target has to agree with the <c>Host</c> that came on the wire.
/// </summary>
internal sealed class RequestGateMiddleware(RequestDelegate next)
{
    /// <summary>What some endpoint of a gateway takes, for <c>Allow</c> where no endpoint was asked.</summary>
    public const string Methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;

        // The server obeys Transfer-Encoding and moves the length that contradicts it here; a proxy before us may have obeyed the length.
        if (
            request.Headers.TransferEncoding.Count > 0
            && (request.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length"))
        )
        {
            context.Response.Headers.Connection = "close";
            return Refuse(context, "Content-Length and Transfer-Encoding contradict each other.");
        }

        // The server looks at the last coding alone; a proxy or service may look at another.
        if (
            request.Headers.TransferEncoding is { Count: > 0 } codings
            && !(codings is [{ } coding] && coding.Trim().Equals("chunked", StringComparison.OrdinalIgnoreCase))
        )
        {
            context.Response.Headers.Connection = "close";
            return Refuse(context, "Transfer-Encoding must be chunked, once.");
        }

        // Methods differ by case (RFC 9110 section 9.1), but not to the framework: what is a read here would be unknown to a service.
        if (!HttpMethods.GetCanonicalizedValue(request.Method).Equals(request.Method, StringComparison.Ordinal))
        {
            context.Response.Headers.Allow = Methods;
            return ProblemWriter.Write(context, new Problem(ProblemCodes.MethodNotAllowed));
        }

        if (HttpMethods.IsOptions(request.Method) && context.Features.Get<IHttpRequestFeature>()!.RawTarget == "*")
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent; // RFC 9110 section 9.3.7: a ping of the server as a whole.
            return Task.CompletedTask;
        }

        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (target.Length == 0)
        {
            target = request.Path.ToUriComponent(); // A server that keeps no raw target.
        }

        if (CanonicalPath.Of(target, request.Host.Value, request.Path.Value) is not { } path)
        {
            return Refuse(
                context,
                "The request target is ambiguous: it has encoded separators, dot or empty segments, ';', control characters, bad escapes or a foreign authority."
            );
        }

        if (!ReferenceEquals(path, request.Path.Value))
        {
            request.Path = new PathString(path);
        }

        var known = BffRequest.Of(context);
        known.Path = path;
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
        {
            request.Body = new ReceivedBody(request.Body, known);
        }

        return next(context);
    }

    private static Task Refuse(HttpContext context, string detail) =>
        ProblemWriter.Write(context, new Problem(ProblemCodes.MalformedRequest) { Detail = detail });
}
