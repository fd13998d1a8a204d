using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Edge;

/// <summary>
/// Lets HEAD ask any endpoint that answers GET (RFC 9110 section 9.3.2): what routing refused as HEAD is routed once more as GET. The server still knows that
/// it was HEAD and sends no body.
/// </summary>
internal sealed class HeadAsGetMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (HttpMethods.IsHead(context.Request.Method) && context.GetEndpoint() is not null and not RouteEndpoint)
        {
            context.Request.Method = HttpMethods.Get;
            context.Request.RouteValues.Clear();
            context.SetEndpoint(null);
        }

        return next(context);
    }
}
