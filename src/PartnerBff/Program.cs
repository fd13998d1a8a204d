using Bff;
using Bff.Callers;
using Bff.Callers.ApiKeys;
using Bff.Composition;
using Bff.Edge;
using Bff.Idempotency;
using Bff.RateLimiting;
using Bff.Tenancy;
using PartnerBff.Agents;
using PartnerBff.Features;
using PartnerBff.OpenApi;
using PartnerBff.Portal;
using PartnerBff.Upstreams;
using PartnerBff.Usage;
using PartnerBff.Versions;
using PartnerBff.Webhooks;

var builder = BffHost.CreateBuilder(args);

builder.AddBffDefaults().AddPlans(PlanFamily.Partner);
builder.AddApiKeys(PartnerScopes.All).AddBearerTokens();
builder.AddIdempotency(IdempotencyScope.Tenant).AddPartnerUpstreams();
builder.AddUsage().AddWebhooks().AddVersions();
builder.AddPortal().AddAgents();
builder.Services.AddSingleton(new CompositionOptions { ServerTiming = false, Progressive = false });
builder.Services.Configure<EdgeOptions>(edge => edge.TrustTraceContext = false);
builder.AddPartnerContracts(PartnerJson.Default);

var app = builder.Build();

app.UseBffPipeline(places =>
    places.BeforeEdge<InnerRequestsBeginHere>().BeforeEdge<UsageMiddleware>().BeforeEdge<VersionHeaders>().BeforeEndpoint<RetiredVersions>()
);
app.MapPartnerFeatures();
app.MapPortal();
app.MapAgents();

app.Run();
