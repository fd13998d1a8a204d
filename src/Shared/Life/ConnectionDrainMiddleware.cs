using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Life;

/// <summary>
/// While the host is stopping, HTTP/1.1 clients are asked to open their next connection elsewhere (RFC 9112 section 9.6); else a request
/// that is sent on an idle connection just as the server closes it would be lost. HTTP/2 says so itself (GOAWAY).
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
