using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>How a gRPC call ended, for the access log, the span and the request metrics: its HTTP status says nothing.</summary>
internal static class RpcOutcome
{
    private static readonly object[] Statuses = [.. Enumerable.Range(0, 17).Select(static status => (object)status)];

    /// <summary>Notes the status; the first word counts.</summary>
    public static void Note(HttpContext context, int status)
    {
        var request = BffRequest.Of(context);
        if (request.GrpcStatus is not null)
        {
            return;
        }

        var known = status is >= 0 and <= 16 ? status : GrpcCode.Unknown; // Another would be a label of its own.
        request.GrpcStatus = known;
        context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(new("rpc.grpc.status_code", Statuses[known]));
    }
}
