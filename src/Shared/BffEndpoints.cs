using Bff.Audit;
using Bff.Caching;
using Bff.Callers.Identity;
using Bff.Callers.Revoked;
using Bff.Edge;
using Bff.Events;
using Bff.Life;
using Bff.Routes;
using Bff.Tenants;
using Microsoft.AspNetCore.Builder;

namespace Bff;

/// <summary>Maps the endpoints that every gateway serves beside its own.</summary>
internal static class BffEndpoints
{
    public static void MapBffEndpoints(this WebApplication app)
    {
        app.MapProblemPages();
        app.MapGatewayKeys();
        app.MapHealth();

        // The internal surface is kept off the public ingress and accepts only service tokens (RequireServiceToken).
        app.MapRevocations();
        app.MapCacheInvalidation();
        app.MapEventPublishing();
        app.MapTenants();
        app.MapAudit();

        app.MapRoutes();
    }
}
