using System.Globalization;
using System.Net.Http.Headers;
using Bff.Edge;

namespace Bff.Upstreams;

/// <summary>Reads the status of a gRPC answer, from the trailers or (trailers-only) the head.</summary>
internal static class GrpcStatus
{
    /// <summary>Marks a call whose client set a deadline.</summary>
    public static readonly HttpRequestOptionsKey<bool> HasClientDeadline = new("bff.grpc-deadline");

    /// <summary>
    /// Returns the status; null if the answer is not gRPC or has no status yet, because the trailers of a forwarded answer have not
    /// arrived.
    /// </summary>
    public static int? Of(HttpResponseMessage response) =>
        AnswerType.IsGrpc(response.Content) ? InTrailers(response) ?? In(response.Headers) : null;

    /// <summary>Returns the status in the trailers; null if there is none.</summary>
    public static int? InTrailers(HttpResponseMessage response) => In(response.TrailingHeaders);

    /// <summary>
    /// Whether the status shows a failure of the service, rather than of the request. In an answer that the gateway reads itself: unknown,
    /// deadline, exhausted, aborted, internal, unavailable, data loss. In a forwarded answer only those that no client can cause:
    /// unavailable, data loss, and deadline if the client set none. A service answers a message that is too large or unreadable with
    /// exhausted, internal or unknown, and one such client must not make it unavailable for everybody.
    /// </summary>
    /// <param name="response">The answer.</param>
    /// <param name="isWhole">Whether the answer was read to its end, where it must have a status; otherwise it is forwarded.</param>
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
