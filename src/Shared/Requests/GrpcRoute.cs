namespace Bff.Requests;

/// <summary>Metadata: what passes here is gRPC, and what the gateway refuses here is refused as gRPC.</summary>
/// <param name="TakesWeb">Whether gRPC-Web passes too.</param>
internal sealed record GrpcRoute(bool TakesWeb);
