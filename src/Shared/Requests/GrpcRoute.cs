namespace Bff.Requests;

/// <summary>Endpoint metadata: the route carries gRPC, so the gateway's refusals take the form of gRPC.</summary>
/// <param name="TakesWeb">Whether gRPC-Web is accepted too.</param>
internal sealed record GrpcRoute(bool TakesWeb);
