using System.Globalization;

namespace Bff.Upstreams;

/// <summary>Status of a gRPC answer, in the trailers or (trailers-only) the head; null when the answer is not gRPC.</summary>
internal static class GrpcStatus
{
    public const int Ok = 0, DeadlineExceeded = 4, NotFound = 5, PermissionDenied = 7;

    public static int? Of(HttpResponseMessage response)
    {
        if (!AnswerType.IsGrpc(response.Content))
        {
            return null;
        }

        return (response.TrailingHeaders.TryGetValues("grpc-status", out var values) || response.Headers.TryGetValues("grpc-status", out values))
            && int.TryParse(values.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : 2;
    }

    /// <summary>Unknown, deadline, exhausted, aborted, internal, unavailable, data loss: the service's trouble, not the request's.</summary>
    public static bool IsFailure(HttpResponseMessage response) => Of(response) is 2 or DeadlineExceeded or 8 or 10 or 13 or 14 or 15;
}
