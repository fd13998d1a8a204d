using Bff.Edge;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>
/// What comes back of a service's answer: a 5xx comes without its body, for it is the gateway's word by now
/// (<see cref="PassThroughHandler"/>), a status that is none becomes 502, and a 4xx passes when it is a document that clients can read.
/// Bodiless errors become problems at the edge.
/// </summary>
internal sealed class GatewayResponseTransform : ResponseTransform
{
    /// <summary>What a service says of a body that is not passed on; the gateway says none of it before.</summary>
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
        if (isNone || status >= 500 || (status >= 400 && !AnswerType.IsJson(upstream.Content)))
        {
            Replace(context, isNone ? StatusCodes.Status502BadGateway : status);
        }

        return default;
    }

    private static bool IsUpgrade(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    /// <summary>Leaves nothing of the answer but a status, which the edge puts into words.</summary>
    internal static void Replace(ResponseTransformContext context, int status)
    {
        context.SuppressResponseBody = true;
        var response = context.HttpContext.Response;
        response.StatusCode = status;
        context.HttpContext.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = null; // The service's words for another answer.
        response.ContentType = null;
        response.ContentLength = null;
        response.Headers.ContentEncoding = StringValues.Empty;
        foreach (var name in OfTheBody)
        {
            response.Headers.Remove(name);
        }
    }
}
