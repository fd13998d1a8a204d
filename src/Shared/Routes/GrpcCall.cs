using Bff.Concurrency;
using Bff.Edge;

namespace Bff.Routes;

/// <summary>A gRPC call through a route; a feature of its request.</summary>
/// <param name="form">The client's protocol: gRPC or a form of gRPC-Web.</param>
/// <param name="deadline">The client's deadline; null if it set none.</param>
internal sealed class GrpcCall(GrpcForm form, Deadline? deadline)
{
    public GrpcForm Form => form;

    public Deadline? Deadline => deadline;

    /// <summary>Whether the response to the client comes from the service.</summary>
    public bool IsAnswered { get; set; }

    /// <summary>Status with which the gateway ended the service's answer early; null if it did not.</summary>
    public (int Status, string Message)? End { get; set; }

    /// <summary>Returns the time until the client's deadline, at least zero; null if it set none.</summary>
    public TimeSpan? Left(TimeProvider time) => deadline?.Left(time);
}
