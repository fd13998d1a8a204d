using Bff.Concurrency;
using Bff.Edge;

namespace Bff.Routes;

/// <summary>A gRPC call on its way through a route; a feature of its request.</summary>
/// <param name="form">How the client speaks.</param>
/// <param name="deadline">The client's own; null: it set none.</param>
internal sealed class GrpcCall(GrpcForm form, Deadline? deadline)
{
    public GrpcForm Form => form;

    public Deadline? Deadline => deadline;

    /// <summary>Whether the answer that goes out is the service's.</summary>
    public bool IsAnswered { get; set; }

    /// <summary>Why the gateway ended the service's answer before the service did; null where it did not.</summary>
    public (int Status, string Message)? End { get; set; }

    /// <summary>What is left until the client's deadline, not below zero; null: it set none.</summary>
    public TimeSpan? Left(TimeProvider time) => deadline?.Left(time);
}
