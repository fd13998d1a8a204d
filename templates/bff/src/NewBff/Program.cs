using Bff;
using Bff.Callers;
using Bff.Composition;
using Bff.Configuration;
using Bff.OpenApi;
using Bff.OpenApi.Pages;
using NewBff.Features;
using NewBff.Upstreams;

var builder = BffHost.CreateBuilder(args);

builder.AddBffDefaults();
builder.AddBearerTokens();
builder.AddUpstreams();
builder.Services.AddSettings<WelcomeSettings>();
builder.Services.AddSingleton<ICompositionMeta, CompositionMeta>();
builder.AddBffOpenApi("newgateway", "NewBff API", AnswersJson.Default);

var app = builder.Build();

app.UseBffPipeline();
app.MapFeatures();
app.MapBffOpenApi();
app.MapApiPages();

app.Run();
