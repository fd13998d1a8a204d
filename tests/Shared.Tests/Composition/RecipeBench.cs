using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bff.Composition;
using Bff.OpenApi;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Composition;

/// <summary>A gateway that serves the recipes, in front of a fake service whose answers the test sets.</summary>
internal sealed class RecipeBench : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Line, string Body, IReadOnlyDictionary<string, string> Headers)> _asked = new();

    private RecipeBench() { }

    public TestHost Service { get; private set; } = null!;

    public TestHost Gateway { get; private set; } = null!;

    /// <summary>The service's answers by method and path. It answers 404 to all other requests.</summary>
    public ConcurrentDictionary<string, RequestDelegate> Answers { get; } = new();

    /// <summary>The requests that the service received, in order.</summary>
    public IReadOnlyList<string> Asked => [.. _asked.Select(a => a.Line)];

    public static Task<RecipeBench> Start(Action<WebApplication>? map = null, params (string Key, string? Value)[] settings) =>
        Start(map, null, settings);

    public static async Task<RecipeBench> Start(
        Action<WebApplication>? map,
        Action<IServiceCollection>? services,
        params (string Key, string? Value)[] settings
    )
    {
        var bench = new RecipeBench();
        bench.Service = await TestHost.Start(_ => { }, app => app.Run(bench.Answer));
        try
        {
            bench.Gateway = await TestHost.Start(
                builder =>
                {
                    builder
                        .AddBffDefaults()
                        .AddUpstream<IShop>("shop", isShared: true)
                        .Services.AddSingleton<ICompositionMeta, PlainMeta>();
                    builder.AddBffOpenApi("recipes", "Recipes", RecipeJson.Default);
                    services?.Invoke(builder.Services);
                },
                app =>
                {
                    app.UseBffPipeline();
                    Recipes.Map(app);
                    map?.Invoke(app);
                    app.MapBffOpenApi();
                },
                bench.Settings(settings)
            );
        }
        catch
        {
            await bench.Service.DisposeAsync();
            throw;
        }

        return bench;
    }

    /// <summary>Gives every part enough time on a slow machine, except where a test shortens it.</summary>
    private Dictionary<string, string?> Settings((string Key, string? Value)[] settings)
    {
        var all = new Dictionary<string, string?>
        {
            ["Upstreams:shop:Address"] = Service.Address.ToString(),
            ["Upstreams:shop:Timeout"] = "00:00:30",
            ["Composition:Deadline"] = "00:01:00",
            ["Plans:free:RequestsPerMinute"] = "100000",
            ["Plans:free:Burst"] = "10000",
        }.WithParts(
            "delivery:customer",
            "delivery:product",
            "delivery:quote",
            "price:price",
            "basket:products",
            "checkout:product",
            "points:points",
            "points:position",
            "points:shelf",
            "account:account",
            "bestsellers:products",
            "timeline:timeline",
            "kept:account",
            "mixed:products",
            "mixed:own",
            "beside:product",
            "undone:product",
            "unneeded:product"
        );
        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        return all;
    }

    public void Says(string line, string json, int status = 200, params (string Name, string Value)[] headers) =>
        Answers[line] = async context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = status < 400 ? "application/json" : "application/problem+json";
            foreach (var (name, value) in headers)
            {
                context.Response.Headers[name] = value;
            }

            await context.Response.WriteAsync(json);
        };

    /// <summary>Returns a header of the latest request with that method and path.</summary>
    public string? Header(string line, string name) => _asked.Last(a => a.Line == line).Headers.GetValueOrDefault(name);

    public string Body(string line) => _asked.Last(a => a.Line == line).Body;

    public async Task<(HttpResponseMessage Answer, JsonNode? Document)> Send(
        HttpMethod method,
        string path,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var answer = await Gateway.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public async Task<(int Status, JsonNode? Document)> Get(string path)
    {
        var (answer, document) = await Send(HttpMethod.Get, path);
        return ((int)answer.StatusCode, document);
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Service.DisposeAsync();
    }

    private async Task Answer(HttpContext context)
    {
        var line = $"{context.Request.Method} {context.Request.Path}";
        var body = context.Request.Method is "POST" or "PATCH" ? await new StreamReader(context.Request.Body).ReadToEndAsync() : "";
        _asked.Enqueue(
            (line, body, context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase))
        );
        await (
            Answers.GetValueOrDefault(line)
            ?? (
                static c =>
                {
                    c.Response.StatusCode = 404;
                    return Task.CompletedTask;
                }
            )
        )(context);
    }

    /// <summary>Writes the parts and their statuses.</summary>
    private sealed class PlainMeta : ICompositionMeta
    {
        public void Write(System.Text.Json.Utf8JsonWriter json, CompositionReport report)
        {
            json.WriteStartObject();
            json.WriteNumber("called", report.ServicesCalled);
            json.WriteNumber("succeeded", report.ServicesSucceeded);
            foreach (var part in report.Parts)
            {
                json.WriteString(part.Name, part.Status.Name());
            }

            json.WriteEndObject();
        }
    }
}
