using Bff;
using Bff.Callers;
using Bff.Composition;
using Bff.Sessions;
using WebBff.Features;
using WebBff.Upstreams;

var builder = WebApplication.CreateBuilder(args);

builder.AddBffDefaults();
builder.AddBearerTokens();
builder.AddBrowserSessions();
builder.AddWebUpstreams();
builder.Services.AddSingleton<ICompositionMeta, WebMeta>();

var app = builder.Build();

app.UseBffPipeline();
app.MapBrowserSessions();
app.MapWebFeatures();

app.Run();
