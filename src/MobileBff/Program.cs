using Bff;
using Bff.Callers;
using Bff.Composition;
using MobileBff.Features;
using MobileBff.Upstreams;

var builder = WebApplication.CreateBuilder(args);

builder.AddBffDefaults();
builder.AddBearerTokens();
builder.AddMobileUpstreams();
builder.Services.AddSingleton<ICompositionMeta, MobileMeta>();

var app = builder.Build();

app.UseBffPipeline();
app.MapMobileFeatures();

app.Run();
