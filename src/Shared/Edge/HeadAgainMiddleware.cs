using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

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
