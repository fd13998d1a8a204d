using System.Globalization;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Bff.Dev.Upstreams;

/// <summary>
/// The catalogue over gRPC (<see cref="ProductCatalogService"/>), with the usual health and reflection services. HTTP/2 with prior
/// knowledge.
/// </summary>
public sealed class Catalog() : SampleService("catalog")
{
    internal const string ContentType = "application/grpc";
    private const string Service = "catalog.v1.ProductCatalog";
    private RequestDelegate? calls;

    internal override HttpProtocols Protocols => HttpProtocols.Http2;

    internal static void Register(IServiceCollection services)
    {
        var health = new HealthServiceImpl();
        health.SetStatus("", ServingStatus.Serving);
        health.SetStatus(Service, ServingStatus.Serving);
        services.AddSingleton(health);
        services.AddGrpc();
        services.AddGrpcReflection();
    }

    /// <summary>Builds the pipeline that answers the calls of this service only.</summary>
    internal void Map(IApplicationBuilder host)
    {
        var own = host.New();
        own.UseRouting();
        own.UseEndpoints(endpoints =>
        {
            endpoints.MapGrpcService<ProductCatalogService>();
            endpoints.MapGrpcService<HealthServiceImpl>();
            endpoints.MapGrpcReflectionService();
        });
        calls = own.Build();
    }

    /// <summary>
    /// The service's own calls are unary and recorded with their message; those of the other gRPC services may be streams.
    /// </summary>
    internal override bool ReadsBody(HttpRequest request) => request.Path.StartsWithSegments("/" + Service);

    internal override Task HandleAsync(Exchange exchange)
    {
        if (ReadsBody(exchange.Request))
            exchange.Request.Body = new MemoryStream(exchange.Body.ToArray());
        return calls!(exchange.Context);
    }

    /// <summary>Ends a call without a message, whatever was sent before.</summary>
    internal static Task FailAsync(Exchange exchange, int status, string message)
    {
        exchange.Response.ContentType = ContentType;
        exchange.Response.AppendTrailer("grpc-status", status.ToString(CultureInfo.InvariantCulture));
        exchange.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(message));
        return Task.CompletedTask;
    }
}
