using Microsoft.AspNetCore.Http;

namespace Bff.Callers.Identity;

/// <summary>Removes what a client says about its own identity, on every route, before anything can read it.</summary>
internal sealed class IdentityHeadersMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        List<string>? claimed = null;
        foreach (var (name, _) in headers)
        {
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

        return next(context);
    }
}
