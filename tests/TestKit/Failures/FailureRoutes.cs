using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.TestKit.Failures;

/// <summary>Lists what a host maps, so that a table cannot forget an endpoint.</summary>
public static class FailureRoutes
{
    /// <summary>Returns method and pattern of every endpoint, including YARP's routes.</summary>
    public static IReadOnlyList<string> Of(IServiceProvider services) =>
        [
            .. services
                .GetServices<EndpointDataSource>()
                .SelectMany(source => source.Endpoints)
                .OfType<RouteEndpoint>()
                .SelectMany(endpoint =>
                    (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["*"])
                        .Where(method => method != "HEAD")
                        .Select(method => $"{method} /{endpoint.RoutePattern.RawText?.Trim('/')}")
                )
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];
}
