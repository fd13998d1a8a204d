using Bff;
using Bff.Callers;
using Bff.Composition;
using WebBff.Features;
using WebBff.Upstreams;

var builder = WebApplication.CreateBuilder(args);

builder.AddBffDefaults();
builder.AddBearerTokens();
builder.AddWebUpstreams();
builder.Services.AddSingleton<ICompositionMeta, WebMeta>();

var app = builder.Build();

app.UseBffPipeline();
app.MapWebFeatures();

app.Run();
