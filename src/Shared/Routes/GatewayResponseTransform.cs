using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>
/// What comes back of a service's answer: a 5xx comes without its body, for it is the gateway's word by now
/// (<see cref="PassThroughHandler"/>); a 4xx passes when it is a document that clients can read. Bodiless errors become problems at the edge.
/// </summary>
internal sealed class GatewayResponseTransform : ResponseTransform
{
    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } upstream)
        {
            return default;
        }

        var status = (int)upstream.StatusCode;
        if (status >= 500 || (status >= 400 && !AnswerType.IsJson(upstream.Content)))
        {
            Replace(context, status);
        }

        return default;
    }

    /// <summary>Leaves nothing of the answer but a status, which the edge puts into words.</summary>
    internal static void Replace(ResponseTransformContext context, int status)
    {
        context.SuppressResponseBody = true;
        var response = context.HttpContext.Response;
        response.StatusCode = status;
        response.ContentType = null;
        response.ContentLength = null;
        response.Headers.ContentEncoding = StringValues.Empty;
    }
}
