using Bff;
using Bff.Callers;
using Bff.Idempotency;
using Bff.OpenApi;
using Bff.OpenApi.Pages;
using Bff.Requests;
using MobileBff.Features;
using MobileBff.Upstreams;

var builder = BffHost.CreateBuilder(args);

builder.AddBffDefaults();
builder.AddBearerTokens();
builder.AddMobileUpstreams();
builder.AddMobileFeatures();
builder.AddIdempotency(IdempotencyScope.Caller, retention: TimeSpan.FromDays(7)); // An app may be offline for days.
builder.AddBffOpenApi("mobile", "Mobile API", MobileJson.Default, OptionalNumber.Describe);

var app = builder.Build();

app.UseBffPipeline();
app.MapMobileFeatures();
app.MapBffOpenApi();
app.MapApiPages();

app.Run();
