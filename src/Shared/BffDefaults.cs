using Bff.Admission;
using Bff.Audit;
using Bff.Caching;
using Bff.Callers;
using Bff.Composition;
using Bff.Configuration;
using Bff.Edge;
using Bff.Events;
using Bff.Life;
using Bff.Observability;
using Bff.OpenApi;
using Bff.Paging;
using Bff.RateLimiting;
using Bff.Routes;
using Bff.State;
using Bff.Tenants;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;

namespace Bff;

/// <summary>Registers the services that must be the same in every gateway.</summary>
public static class BffDefaults
{
    /// <summary>
    /// Registers all stages, in the order in which a request meets them. The host adds its credentials, typed clients and endpoints.
    /// </summary>
    public static WebApplicationBuilder AddBffDefaults(this WebApplicationBuilder builder)
    {
        return builder
            .AddDocumentGeneration()
            .AddReloading()
            .AddLife()
            .AddState()
            .AddAudit()
            .AddEdge()
            .AddCallers()
            .AddTenants()
            .AddRateLimiting()
            .AddAdmission()
            .AddRoutes()
            .AddComposition()
            .AddPaging()
            .AddCaching()
            .AddUpstreams()
            .AddEvents()
            .AddObservability();
    }
}
