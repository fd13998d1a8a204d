using Yarp.ReverseProxy.Configuration;

namespace Bff.Routes;

/// <summary>Protocol between a route's clients and its service.</summary>
internal enum RouteProtocol
{
    /// <summary>Any use of HTTP.</summary>
    Http,

    /// <summary>gRPC over HTTP/2, end to end.</summary>
    Grpc,

    /// <summary>GraphQL over HTTP.</summary>
    GraphQL,
}

/// <summary>Reads the protocol settings of a validated route.</summary>
internal static class RouteProtocols
{
    /// <summary>Returns <c>Metadata:Protocol</c>.</summary>
    public static RouteProtocol Of(RouteConfig? route) =>
        route?.Metadata?.GetValueOrDefault("Protocol") is { } name && Enum.TryParse<RouteProtocol>(name, ignoreCase: true, out var protocol)
            ? protocol
            : RouteProtocol.Http;

    /// <summary>Returns <c>Metadata:GrpcWeb</c>.</summary>
    public static bool TakesGrpcWeb(RouteConfig route) =>
        bool.TryParse(route.Metadata?.GetValueOrDefault("GrpcWeb"), out var takes) && takes;
}
