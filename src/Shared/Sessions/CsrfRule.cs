using Bff.Configuration;
using Bff.Edge;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions;

/// <summary>
/// Checks that a page of this site made a request that a browser's cookie authenticates. A foreign page can neither send <c>X-CSRF</c>
/// (that would need CORS) nor hide its origin (Fetch Metadata, RFC 6454).
/// </summary>
internal sealed class CsrfRule(SessionSite site, Reloadable<EdgeSettings> edge)
{
    public bool Admits(HttpContext context, SessionUse? use)
    {
        var request = context.Request;
        if (use is { IsStream: true } || IsWebSocket(request))
        {
            return AdmitsStream(context);
        }

        return !site.NeedsCsrf(request) || (HasHeader(request) && !IsCrossSite(context));
    }

    // Browsers send Origin with every WebSocket request and with every cross-origin EventSource request.
    private bool AdmitsStream(HttpContext context)
    {
        var request = context.Request;
        var origin = request.Headers.Origin;
        if (IsCrossSite(context) || (origin.Count > 0 && !IsOwn(context, origin.ToString())))
        {
            return false;
        }

        return origin.Count > 0 || !IsWebSocket(request) || HasHeader(request);
    }

    private bool IsCrossSite(HttpContext context)
    {
        var headers = context.Request.Headers;
        var site = headers["Sec-Fetch-Site"];
        return site.Count > 0
            ? site.ToString() is not ("same-origin" or "same-site" or "none")
            : headers.Origin.Count > 0 && !IsOwn(context, headers.Origin.ToString());
    }

    private bool IsOwn(HttpContext context, string origin) =>
        string.Equals(origin, PublicUrl.Of(context), StringComparison.OrdinalIgnoreCase)
        || edge.Current.Cors?.Origins.Contains(origin, StringComparer.OrdinalIgnoreCase) == true;

    private static bool HasHeader(HttpRequest request) => request.Headers["X-CSRF"] is [var value] && value == "1";

    // A page's script can send an Upgrade or a CONNECT only by opening a WebSocket.
    public static bool IsWebSocket(HttpRequest request) => request.Headers.Upgrade.Count > 0 || HttpMethods.IsConnect(request.Method);
}
