using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Life;

/// <summary>
/// Asks HTTP/1.1 clients to open their next connection elsewhere while the host is stopping (RFC 9112 section 9.6). Otherwise a request
/// sent on an idle connection just as the server closes it would be lost. HTTP/2 has its own signal for this (GOAWAY).
/// </summary>
internal sealed class ConnectionDrainMiddleware(RequestDelegate next, HostLife life)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (
            life.IsStopping
            && !HttpProtocol.IsHttp2(context.Request.Protocol)
            && context.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest != true
        )
        {
            context.Response.Headers.Connection = "close";
        }

        return next(context);
    }
}
