using Bff.Configuration;
using Bff.Edge;
using Bff.Requests;
using Bff.Routes.GraphQl;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Bff.Routes;

/// <summary>Registers and maps pass-through routes.</summary>
internal static class RoutesRegistration
{
    /// <summary>Adds pass-through routes (YARP) from <c>ReverseProxy:Routes</c>, with clusters from <c>Upstreams</c>.</summary>
    public static WebApplicationBuilder AddRoutes(this WebApplicationBuilder builder)
    {
        builder.Services.AddReloadable(
            ["ReverseProxy", "Upstreams"],
            (provider, configuration, mistakes) =>
                RouteParser.Parse(configuration, provider.GetRequiredService<ITransformBuilder>(), mistakes)
        );
        builder.Services.AddReloadable(["Headers"], ForwardedRequestHeaders.Parse);
        builder.Services.AddSingleton<IProxyConfigProvider, ProxyConfigProvider>();
        builder.Services.AddSingleton<IForwarderHttpClientFactory, PassThroughClientFactory>();
        builder.Services.AddReloadable(["Headers"], ReturnedHeaders.Parse);
        builder.Services.AddSingleton<RequestHeadersTransform>();
        builder.Services.AddSingleton<ResponseHeadersTransform>();
        builder.Services.AddSingleton<AnswerAddresses>();
        builder.Services.AddSingleton<StreamingTransform>();
        builder.Services.AddSingleton<GrpcRequestTransform>();
        builder.Services.AddSingleton<GrpcTrailersTransform>();
        builder.Services.AddSingleton<GraphQlGate>();
        builder.Services.AddReverseProxy().AddTransforms(Shape);
        WithoutDataProtectionKeys(builder.Services);
        builder.Services.AddSingleton(provider => new PassThrough(
            provider.GetRequiredService<IHttpForwarder>(),
            provider.GetRequiredService<ITransformBuilder>(),
            provider.GetRequiredService<UpstreamSender>(),
            provider.GetRequiredService<UpstreamRegistry>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        return builder;
    }

    /// <summary>
    /// Removes data protection, which the reverse proxy adds for affinity cookies. The gateways use none, and it would write a key to the
    /// disk at every first start.
    /// </summary>
    private static void WithoutDataProtectionKeys(IServiceCollection services)
    {
        foreach (
            var service in services
                .Where(s =>
                    s.ServiceType == typeof(IHostedService) && s.ImplementationType?.Assembly == typeof(KeyManagementOptions).Assembly
                )
                .ToList()
        )
        {
            services.Remove(service);
        }
    }

    /// <summary>Sets up every proxied exchange: header allow-lists in both directions, and the gateway's errors in answers.</summary>
    internal static void Shape(TransformBuilderContext context)
    {
        context.CopyRequestHeaders = false;
        context.RequestTransforms.Add(context.Services.GetRequiredService<RequestHeadersTransform>());
        context.CopyResponseHeaders = false;
        context.CopyResponseTrailers = false; // They would bypass the rules for headers; only a gRPC client needs trailers.
        context.ResponseTransforms.Insert(0, context.Services.GetRequiredService<ResponseHeadersTransform>()); // The route's own follow.
        if (RouteProtocols.Of(context.Route) is RouteProtocol.Grpc)
        {
            context.RequestTransforms.Add(context.Services.GetRequiredService<GrpcRequestTransform>());
            context.ResponseTransforms.Add(new GrpcResponseTransform());
            context.ResponseTrailersTransforms.Add(context.Services.GetRequiredService<GrpcTrailersTransform>());
        }
        else
        {
            context.ResponseTransforms.Add(new GatewayResponseTransform());
        }

        context.ResponseTransforms.Add(context.Services.GetRequiredService<StreamingTransform>());
    }

    private static void UseGraphQl(this IApplicationBuilder proxy) =>
        proxy.Use(
            static (context, next) =>
                context.GetEndpoint()?.Metadata.GetMetadata<GraphQlErrors>() is null
                    ? next(context)
                    : context.RequestServices.GetRequiredService<GraphQlGate>().Pass(context, next)
        );

    /// <summary>Maps the routes; each requires its scope or is anonymous, as configured.</summary>
    public static void MapRoutes(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapReverseProxy(static proxy =>
            {
                proxy.UseGrpcCalls();
                proxy.UseGraphQl();
                proxy.UseRequestBodies();
                proxy.UseIdleTimeouts();
                proxy.UseRelayedSockets();
            })
            .Add(static endpoint =>
            {
                if (endpoint.Metadata.OfType<RouteModel>().FirstOrDefault()?.Config is not { } route)
                {
                    return;
                }

                endpoint.Metadata.Add(new ExcludeFromDescriptionAttribute()); // Its service describes it.
                endpoint.Metadata.Add(new EndpointName(route.Metadata?.GetValueOrDefault("Endpoint") ?? route.RouteId));
                if (RouteProtocols.Of(route) is RouteProtocol.Grpc)
                {
                    endpoint.Metadata.Add(new GrpcRoute(RouteProtocols.TakesGrpcWeb(route)));
                }

                if (RouteParser.BodyLimitOf(route) is { } limit)
                {
                    endpoint.Metadata.Add(limit);
                }

                if (RouteProtocols.Of(route) == RouteProtocol.GraphQL)
                {
                    endpoint.Metadata.Add(new GraphQlErrors());
                    endpoint.Metadata.Add(new ChargesItself()); // The charge is the cost of its operations.
                }

                if (string.Equals(route.Metadata?.GetValueOrDefault("Limits"), "none", StringComparison.OrdinalIgnoreCase))
                {
                    endpoint.Metadata.Add(new Unlimited()); // For images: a page has dozens, which would use up its only budget.
                    if (string.Equals(route.AuthorizationPolicy, "Anonymous", StringComparison.OrdinalIgnoreCase))
                    {
                        endpoint.Metadata.Add(new PublicMedia());
                    }
                }

                if (route.Metadata?.GetValueOrDefault("Scope") is { Length: > 0 } scope)
                {
                    endpoint.Metadata.Add(new CallerRule(scope));
                }
            });
}
