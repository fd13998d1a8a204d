using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Callers.Identity;
using Bff.Life;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers;

/// <summary>A real gateway with a guarded and a public endpoint that record their callers and the identity headers for upstreams.</summary>
internal sealed class CallersHost : IAsyncDisposable
{
    private readonly TestHost _host;

    private CallersHost(TestHost host) => _host = host;

    public HttpClient Client => _host.Client;

    public LeakSentinel Leaks => _host.Leaks;

    public LogRecorder Log => _host.Log;

    public IServiceProvider Services => _host.Services;

    public ConcurrentQueue<Caller> Reached { get; } = new();

    /// <summary>Identity headers of the latest request, as a typed client would send them.</summary>
    public IReadOnlyDictionary<string, string> Upstream { get; private set; } = new Dictionary<string, string>();

    /// <summary>Headers of the latest request, as the endpoint received them.</summary>
    public IReadOnlyDictionary<string, string> Seen { get; private set; } = new Dictionary<string, string>();

    public static async Task<CallersHost> Start(
        TestIssuer? issuer = null,
        Dictionary<string, string?>? settings = null,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplication>? map = null,
        Action<WebApplicationBuilder>? first = null
    )
    {
        var all = new Dictionary<string, string?>
        {
            ["Authentication:Schemes:Bearer:Authority"] = issuer?.Address,
            ["Authentication:Schemes:Bearer:ValidAudiences:0"] = "bff",
            ["Authentication:Schemes:Bearer:RequireHttpsMetadata"] = "false",
            ["Authentication:Schemes:Bearer:BackchannelTimeout"] = Generous.Timeout,
            ["State:Timeout"] = Generous.StateTimeout,
            ["FailedCredentials:PerMinute"] = "100000",
            ["FailedCredentials:Burst"] = "10000",
            // Tests of this host must not run into rate limits, which have tests of their own.
            ["Plans:anonymous:RequestsPerMinute"] = "100000",
            ["Plans:anonymous:Burst"] = "10000",
            ["Plans:free:RequestsPerMinute"] = "100000",
            ["Plans:free:Burst"] = "10000",
        };
        foreach (var (key, value) in settings ?? [])
        {
            all[key] = value;
        }

        CallersHost? host = null;
        var started = await TestHost.Start(
            builder =>
            {
                builder.AddBffDefaults();
                first?.Invoke(builder);
                builder.AddBearerTokens();
                builder.Services.WithPatientClients();
                configure?.Invoke(builder);
            },
            app =>
            {
                app.UseBffPipeline();
                app.MapGet("/guarded", (HttpContext context) => host!.Note(context)).RequireScope("api");
                app.MapGet("/public", (HttpContext context) => host!.Note(context)).AllowAnonymous();
                map?.Invoke(app);
            },
            all
        );
        return host = new CallersHost(started);
    }

    /// <summary>Waits until the host is ready.</summary>
    public async Task<CallersHost> Ready()
    {
        await Eventually.True(() => Services.GetServices<IReadinessCheck>().All(c => c.IsReady));
        return this;
    }

    public async Task<(HttpStatusCode Status, string? Code, HttpResponseMessage Response)> Get(string? token, string path = "/guarded")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        return await Send(request);
    }

    public async Task<(HttpStatusCode Status, string? Code, HttpResponseMessage Response)> Send(HttpRequestMessage request)
    {
        var response = await Client.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        var code = response.Content.Headers.ContentType is MediaTypeHeaderValue { MediaType: "application/problem+json" }
            ? (string?)JsonNode.Parse(body)!["code"]
            : null;
        return (response.StatusCode, code, response);
    }

    /// <summary>Changes the configuration as an edited file would.</summary>
    public void Configure(string key, string value)
    {
        var configuration = (IConfigurationRoot)Services.GetRequiredService<IConfiguration>();
        configuration[key] = value;
        configuration.Reload();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private string Note(HttpContext context)
    {
        var request = BffRequest.Of(context);
        using var outgoing = new HttpRequestMessage(HttpMethod.Get, "http://upstream/");
        IdentityHeaders.Apply(outgoing, request, "orders", Services.GetService<IdentityAssertions>());
        Upstream = outgoing.Headers.ToDictionary(h => h.Key, h => string.Join('|', h.Value));
        Seen = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString());
        Reached.Enqueue(request.Caller);
        return "reached";
    }
}
