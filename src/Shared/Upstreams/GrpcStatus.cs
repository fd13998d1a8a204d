using System.Globalization;
using System.Net.Http.Headers;
using Bff.Edge;

namespace Bff.Upstreams;

/// <summary>Status of a gRPC answer, in the trailers or (trailers-only) the head.</summary>
internal static class GrpcStatus
{
    /// <summary>Marks a call that its client gave a deadline.</summary>
    public static readonly HttpRequestOptionsKey<bool> HasClientDeadline = new("bff.grpc-deadline");

    /// <summary>
    /// Null when the answer is not gRPC, and where it says none: of an answer that is passed on the trailers have not come yet.
    /// </summary>
    public static int? Of(HttpResponseMessage response) =>
        AnswerType.IsGrpc(response.Content) ? InTrailers(response) ?? In(response.Headers) : null;

    /// <summary>The status in the trailers; null where there is none.</summary>
    public static int? InTrailers(HttpResponseMessage response) => In(response.TrailingHeaders);

    /// <summary>
    /// Whether it speaks of the service's health, not of the request. Of an answer that the gateway reads itself: unknown, deadline,
    /// exhausted, aborted, internal, unavailable, data loss. Of one that is passed on only what no client can bring about: unavailable,
    /// data loss, and a deadline where the client set none. A message that is too large or cannot be read is answered with exhausted,
    /// internal or unknown, and must not take the service away from everybody.
    /// </summary>
    /// <param name="response">The answer.</param>
    /// <param name="isWhole">Whether it was read to its end, where it must have a status; else it is passed on.</param>
    public static bool IsFailure(HttpResponseMessage response, bool isWhole)
    {
        if (!AnswerType.IsGrpc(response.Content))
        {
            return false;
        }

        var status = InTrailers(response) ?? In(response.Headers);
        return isWhole
            ? (status ?? GrpcCode.Unknown)
                is GrpcCode.Unknown
                    or GrpcCode.DeadlineExceeded
                    or GrpcCode.ResourceExhausted
                    or GrpcCode.Aborted
                    or GrpcCode.Internal
                    or GrpcCode.Unavailable
                    or GrpcCode.DataLoss
            : status is GrpcCode.Unavailable or GrpcCode.DataLoss
                || (status is GrpcCode.DeadlineExceeded && !HasDeadline(response.RequestMessage));
    }

    private static bool HasDeadline(HttpRequestMessage? request) =>
        request?.Options.TryGetValue(HasClientDeadline, out var has) == true && has;

    private static int? In(HttpResponseHeaders headers) =>
        headers.NonValidated.TryGetValues("grpc-status", out var values)
            ? int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
                ? status
                : GrpcCode.Unknown
            : null;
}
