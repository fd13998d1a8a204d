using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Edge;

/// <summary>
/// Lets HEAD ask any endpoint that answers GET (RFC 9110 section 9.3.2): what routing refused as HEAD is routed once more as GET. The
/// server still knows that it was HEAD and sends no body. As soon as an endpoint is found it is HEAD again
/// (<see cref="HeadAgainMiddleware"/>). What routing refuses for its method is told so in <c>Allow</c> (section 10.2.1).
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
/// A HEAD that was routed as GET is HEAD to everything after it: services are asked for the head alone, and logs, spans and counts call it
/// what it was.
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
