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
    /// Null when the answer is not gRPC, and while an answer that is passed on has not ended: its trailers have not come.
    /// </summary>
    public static int? Of(HttpResponseMessage response) =>
        !AnswerType.IsGrpc(response.Content)
            ? null
            : InTrailers(response) ?? In(response.Headers) ?? (response.Content is BufferedBody ? GrpcCode.Unknown : null);

    /// <summary>The status in the trailers; null where there is none.</summary>
    public static int? InTrailers(HttpResponseMessage response) => In(response.TrailingHeaders);

    /// <summary>
    /// Whether it speaks of the service's health, not of the request. Of an answer that the gateway reads itself: unknown, deadline,
    /// exhausted, aborted, internal, unavailable, data loss. Of one that is passed on only what no client can bring about: unavailable,
    /// data loss, and a deadline where the client set none. A message that is too large or cannot be read is answered with exhausted,
    /// internal or unknown, and must not take the service away from everybody.
    /// </summary>
    public static bool IsFailure(HttpResponseMessage response) =>
        Of(response) is { } status
        && (
            response.Content is BufferedBody
                ? status
                    is GrpcCode.Unknown
                        or GrpcCode.DeadlineExceeded
                        or GrpcCode.ResourceExhausted
                        or GrpcCode.Aborted
                        or GrpcCode.Internal
                        or GrpcCode.Unavailable
                        or GrpcCode.DataLoss
                : status is GrpcCode.Unavailable or GrpcCode.DataLoss
                    || (status is GrpcCode.DeadlineExceeded && !HasDeadline(response.RequestMessage))
        );

    private static bool HasDeadline(HttpRequestMessage? request) =>
        request?.Options.TryGetValue(HasClientDeadline, out var has) == true && has;

    private static int? In(HttpResponseHeaders headers) =>
        headers.NonValidated.TryGetValues("grpc-status", out var values)
            ? int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
                ? status
                : GrpcCode.Unknown
            : null;
}
