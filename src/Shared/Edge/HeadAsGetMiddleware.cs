using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Edge;

/// <summary>
/// Makes every endpoint for GET answer HEAD too (RFC 9110 section 9.3.2): a HEAD that routing refused is routed once more as GET. The
/// server still knows that it was HEAD and sends no body. Once an endpoint is found, <see cref="HeadAgainMiddleware"/> restores the method.
/// When routing refuses a method, <c>Allow</c> lists HEAD beside GET (section 10.2.1).
/// </summary>
internal sealed class HeadAsGetMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) => context.GetEndpoint() is null or RouteEndpoint ? next(context) : Refused(context);

    private async Task Refused(HttpContext context)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            BffRequest.Of(context).IsHead = true;
            context.Request.Method = HttpMethods.Get;
            context.Request.RouteValues.Clear();
            context.SetEndpoint(null);
        }

        await next(context);
        var headers = context.Response.Headers;
        if (
            context.GetEndpoint() is not RouteEndpoint
            && headers.Allow is [{ } allowed]
            && allowed.Split(", ") is var methods
            && methods.Contains("GET")
            && !methods.Contains("HEAD")
        )
        {
            headers.Allow = allowed + ", HEAD";
        }
    }
}

/// <summary>
/// Makes a HEAD that was routed as GET a HEAD again for all later stages. Services are then asked only for the head, and logs, spans and
/// metrics name the real method.
/// </summary>
internal sealed class HeadAgainMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (BffRequest.Of(context).IsHead)
        {
            context.Request.Method = HttpMethods.Head;
        }

        return next(context);
    }
}
