using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers.Identity;

/// <summary>
/// Removes what a client says about its own identity, on every route, before anything can read it. Where all headers are looked at they are
/// counted too.
/// </summary>
internal sealed class IdentityHeadersMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        List<string>? claimed = null;
        var length = 0;
        foreach (var (name, values) in headers)
        {
            length += HeadLength.Of(name, values);
            if (IdentityHeaders.IsReserved(name))
            {
                (claimed ??= []).Add(name);
            }
        }

        if (claimed is not null)
        {
            foreach (var name in claimed)
            {
                headers.Remove(name);
            }
        }

        BffRequest.Of(context).HeadLength = length;
        return next(context);
    }
}
