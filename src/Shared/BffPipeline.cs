using Bff.Admission;
using Bff.Callers;
using Bff.Callers.Identity;
using Bff.Composition;
using Bff.Configuration;
using Bff.Edge;
using Bff.Life;
using Bff.Observability;
using Bff.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff;

/// <summary>
/// Builds the request pipeline. The order of the middleware is written out here in full. A host's own middleware joins only at the places
/// that are named here.
/// </summary>
public static class BffPipeline
{
    /// <summary>
    /// Adds the stages in their order: edge, callers, rate limiting, admission, endpoint (composition or pass-through). Also maps the
    /// endpoints that every gateway serves: health, problem pages, the internal surface.
    /// </summary>
    /// <param name="app">The host.</param>
    /// <param name="host">Adds the host's own middleware at the places provided for it. Null: the host has none.</param>
    public static WebApplication UseBffPipeline(this WebApplication app, Action<PipelinePlaces>? host = null)
    {
        var places = new PipelinePlaces();
        host?.Invoke(places);
        app.CheckConfiguration();
        WithoutFrameworkAuthorization(app);
        app.Services.GetRequiredService<EndpointGuard>().Watch(app);
        app.Services.GetRequiredService<CompositionGuard>().Watch(app);

        places.JoinBeforeEdge(app);

        // 1. Edge
        app.UseMiddleware<ConnectionDrainMiddleware>();
        app.UseMiddleware<RequestIdentityMiddleware>();
        app.UseMiddleware<RequestTelemetryMiddleware>();
        app.UseMiddleware<CompressionMiddleware>();
        app.UseMiddleware<ProblemsMiddleware>();
        app.UseMiddleware<RequestGateMiddleware>();
        app.UseForwardedHeaders();
        app.UseMiddleware<HostGateMiddleware>();
        app.UseMiddleware<IdentityHeadersMiddleware>();
        app.UseMiddleware<CorsRulesMiddleware>();
        app.UseRouting();
        app.UseMiddleware<HeadAsGetMiddleware>();
        app.UseRouting(); // Routes only requests that have no endpoint yet: a HEAD that is to be answered as GET.
        app.UseMiddleware<HeadAgainMiddleware>();
        app.UseMiddleware<AskForGuardsMiddleware>();
        app.UseRouting(); // Routes what was refused for its method or media type.

        // 2. Callers
        app.UseMiddleware<RoutingRefusalsMiddleware>();
        app.UseMiddleware<CallersMiddleware>();

        places.JoinAfterCallers(app);

        // 3. Rate limiting
        app.UseMiddleware<RateLimitingMiddleware>();
        app.UseMiddleware<BodyLimitMiddleware>();

        // 4. Admission
        app.UseMiddleware<AdmissionMiddleware>();
        places.JoinBeforeEndpoint(app);

        // 5. The endpoint: the host's composition, or a pass-through route.
        app.MapBffEndpoints();
        return app;
    }

    /// <summary>
    /// Keeps the framework's authorization middleware out of the pipeline. The reverse proxy registers the authorization services, so the
    /// builder would put the middleware before everything else, where it finds no endpoint and costs every request a layer. Stage 2
    /// authorizes here. The property says that the middleware is already in place.
    /// </summary>
    private static void WithoutFrameworkAuthorization(IApplicationBuilder app) => app.Properties["__AuthorizationMiddlewareSet"] = true;
}
