using Bff;
using Bff.Callers;
using Bff.Callers.ApiKeys;
using Bff.Composition;
using Bff.Edge;
using Bff.Idempotency;
using PartnerBff.Features;
using PartnerBff.Upstreams;

var builder = WebApplication.CreateBuilder(args);

builder.AddBffDefaults();
builder.AddApiKeys(PartnerScopes.All);
builder.AddBearerTokens();
builder.AddIdempotency(IdempotencyScope.Tenant);
builder.AddPartnerUpstreams();
builder.Services.AddSingleton(new CompositionOptions { ServerTiming = false });
builder.Services.Configure<EdgeOptions>(edge => edge.TrustTraceContext = false);

var app = builder.Build();

app.UseBffPipeline();
app.MapPartnerFeatures();

app.Run();
