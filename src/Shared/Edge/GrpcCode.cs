namespace Bff.Edge;

/// <summary>The status codes of gRPC (its statuscodes.md).</summary>
internal static class GrpcCode
{
    public const int Ok = 0,
        Cancelled = 1,
        Unknown = 2,
        InvalidArgument = 3,
        DeadlineExceeded = 4,
        NotFound = 5,
        PermissionDenied = 7,
        ResourceExhausted = 8,
        FailedPrecondition = 9,
        Aborted = 10,
        Unimplemented = 12,
        Internal = 13,
        Unavailable = 14,
        DataLoss = 15,
        Unauthenticated = 16;

    /// <summary>Whether the status means that the service failed, and not the request (OpenTelemetry's conventions for servers).</summary>
    public static bool IsServerError(int status) =>
        status is Unknown or DeadlineExceeded or Unimplemented or Internal or Unavailable or DataLoss;
}
