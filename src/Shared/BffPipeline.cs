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
/// The way of a request, written out in full; a host's own middleware joins in the places that are named here, and nothing joins elsewhere.
/// </summary>
public static class BffPipeline
{
    /// <summary>
    /// Puts the stages in their order: edge, callers, rate limiting, admission; then the endpoint (composition or pass-through).
    /// Also maps what every gateway serves: health, problem pages, the internal surface.
    /// </summary>
    /// <param name="app">The host.</param>
    /// <param name="host">Adds the host's own middleware in the places that there are for it; null: it has none.</param>
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
        app.UseRouting(); // Looks only at what has no endpoint: a HEAD that is to be answered as GET.
        app.UseMiddleware<HeadAgainMiddleware>();
        app.UseMiddleware<AskForGuardsMiddleware>();
        app.UseRouting(); // And what was refused for its method or media type.

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
    /// The reverse proxy registers the framework's authorization services, and the builder then puts its middleware before everything,
    /// where it finds no endpoint and costs every request a layer. Stage 2 decides here; the mark says that the middleware is there.
    /// </summary>
    private static void WithoutFrameworkAuthorization(IApplicationBuilder app) => app.Properties["__AuthorizationMiddlewareSet"] = true;
}
