using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>Records how a gRPC call ended, for the access log, the span and the request metrics. The HTTP status does not tell.</summary>
internal static class RpcOutcome
{
    private static readonly object[] Statuses = [.. Enumerable.Range(0, 17).Select(static status => (object)status)];

    /// <summary>Records the status. Only the first call counts.</summary>
    public static void Note(HttpContext context, int status)
    {
        var request = BffRequest.Of(context);
        if (request.GrpcStatus is not null)
        {
            return;
        }

        var known = status is >= 0 and <= 16 ? status : GrpcCode.Unknown; // Any other value would add a label.
        request.GrpcStatus = known;
        context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(new("rpc.grpc.status_code", Statuses[known]));
    }
}
