using Bff;
using Bff.Callers;
using Bff.Composition;
using Bff.OpenApi;
using Bff.OpenApi.Pages;
using Bff.Sessions;
using WebBff.Features;
using WebBff.Features.Products;
using WebBff.Features.Spa;
using WebBff.Upstreams;

var builder = BffHost.CreateBuilder(args);

builder.AddBffDefaults();
builder.AddBearerTokens();
builder.AddBrowserSessions();
builder.AddWebUpstreams();
builder.AddSpa();
builder.Services.AddSingleton<ICompositionMeta, WebMeta>();
builder.AddBffOpenApi("web", "Web API", WebJson.Default, ProductPage.Describe);

var app = builder.Build();

app.UseBffPipeline();
app.MapBrowserSessions();
app.MapWebFeatures();
app.MapBffOpenApi();
app.MapApiPages("X-CSRF: 1");
app.MapSpa();

app.Run();
