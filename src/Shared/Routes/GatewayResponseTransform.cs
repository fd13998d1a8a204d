using System.Net;
using Bff.Edge;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>
/// Decides what the client gets of a service's answer. A 5xx loses its body, because its status is the gateway's by now
/// (<see cref="PassThroughHandler"/>); an invalid status becomes 502; a 4xx passes if its document is readable for clients. The edge turns
/// errors without a body into problems.
/// </summary>
internal sealed class GatewayResponseTransform : ResponseTransform
{
    /// <summary>Headers that describe a body that is not forwarded; the gateway sets none of them earlier.</summary>
    private static readonly string[] OfTheBody =
    [
        "Content-Disposition",
        "Content-Language",
        "Content-Location",
        "Content-Range",
        .. ResponseHeaders.Digests,
        "Expires",
        "Pragma",
        "Age",
        "Accept-Ranges",
        "Location",
        "Link",
    ];

    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } upstream)
        {
            return default;
        }

        var status = (int)upstream.StatusCode;
        var isNone = status < 200 && !(status == StatusCodes.Status101SwitchingProtocols && IsUpgrade(context.HttpContext));
        var isOurs = isNone || RefusesGateway(context.HttpContext, upstream);
        if (isOurs || status >= 500 || (status >= 400 && !AnswerType.IsJson(upstream.Content)))
        {
            Replace(context, isOurs ? StatusCodes.Status502BadGateway : status);
        }

        return default;
    }

    /// <summary>
    /// Whether the service asks for a credential that the client cannot give: one for a proxy, or one in <c>Authorization</c> although the
    /// gateway accepted the client's credential and did not forward it. If the answer were passed on, the client would sign out.
    /// </summary>
    private static bool RefusesGateway(HttpContext context, HttpResponseMessage answer) =>
        answer.StatusCode switch
        {
            HttpStatusCode.ProxyAuthenticationRequired => true,
            HttpStatusCode.Unauthorized => !AnswerType.IsJson(answer.Content)
                && BffRequest.Of(context).Caller.Kind != CallerKind.Anonymous
                && answer.RequestMessage?.Headers.NonValidated.Contains("Authorization") != true,
            _ => false,
        };

    private static bool IsUpgrade(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    /// <summary>Reduces the answer to a status, for which the edge writes a problem.</summary>
    internal static void Replace(ResponseTransformContext context, int status)
    {
        context.SuppressResponseBody = true;
        var response = context.HttpContext.Response;
        response.StatusCode = status;
        context.HttpContext.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = null; // The service's phrase belongs to another status.
        response.ContentType = null;
        response.ContentLength = null;
        response.Headers.ContentEncoding = StringValues.Empty;
        var range = response.Headers.ContentRange;
        foreach (var name in OfTheBody)
        {
            response.Headers.Remove(name);
        }

        if (status == StatusCodes.Status416RangeNotSatisfiable)
        {
            response.Headers.ContentRange = range; // A client that resumes needs the length (RFC 9110 section 15.5.17).
        }
    }
}
