using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>
/// Passes only requests that mean the same to every reader. 1. Require one message length (RFC 9112 section 6.3). 2. Require one canonical
/// path, which is routed, checked and forwarded from here on. 3. Require a method that is the same to every reader. 4. Wrap the body, so
/// that its errors always count as the client's. This runs before forwarded headers are applied, because an absolute-form target must match
/// the <c>Host</c> that was sent.
/// </summary>
internal sealed class RequestGateMiddleware(RequestDelegate next)
{
    /// <summary>The methods that endpoints of a gateway accept, for <c>Allow</c> where no endpoint was selected.</summary>
    public const string Methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;

        // The server follows Transfer-Encoding and moves a contradicting length to X-Content-Length. A proxy may have followed the length.
        if (
            request.Headers.TransferEncoding.Count > 0
            && (request.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length"))
        )
        {
            context.Response.Headers.Connection = "close";
            return Refuse(context, "Content-Length and Transfer-Encoding contradict each other. Send one of them.");
        }

        // The server looks only at the last coding. A proxy or a service may look at another.
        if (
            request.Headers.TransferEncoding is { Count: > 0 } codings
            && !(codings is [{ } coding] && coding.Trim().Equals("chunked", StringComparison.OrdinalIgnoreCase))
        )
        {
            context.Response.Headers.Connection = "close";
            return Refuse(context, "Transfer-Encoding must be chunked, once.");
        }

        // Methods are case-sensitive (RFC 9110 section 9.1), but the framework ignores case: a service would not know what is a read here.
        if (!HttpMethods.GetCanonicalizedValue(request.Method).Equals(request.Method, StringComparison.Ordinal))
        {
            context.Response.Headers.Allow = Methods;
            return ProblemWriter.Write(context, new Problem(ProblemCodes.MethodNotAllowed));
        }

        if (HttpMethods.IsOptions(request.Method) && context.Features.Get<IHttpRequestFeature>()!.RawTarget == "*")
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent; // RFC 9110 section 9.3.7: a ping of the whole server.
            return Task.CompletedTask;
        }

        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (target.Length == 0)
        {
            target = request.Path.ToUriComponent(); // The server keeps no raw target.
        }

        if (CanonicalPath.Of(target, request.Host.Value, request.Path.Value) is not { } path)
        {
            return Refuse(
                context,
                "The address is ambiguous: it has encoded separators, dot segments, empty segments, ';', "
                    + "control characters, invalid escapes or another host's name."
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
