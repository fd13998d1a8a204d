using System.Net.Http.Json;
using System.Text.Json;
using Bff.Callers;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>A real host whose callers identify themselves in test headers.</summary>
internal sealed class LimitedHost : IAsyncDisposable
{
    private readonly TestHost _host;

    private LimitedHost(TestHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public HttpClient Client => _host.Client;

    public LogRecorder Log => _host.Log;

    public IConfiguration Configuration => _host.App.Configuration;

    public static async Task<LimitedHost> Start(
        PlanFamily family,
        Dictionary<string, string?> settings,
        TimeProvider? time = null,
        Action<WebApplicationBuilder>? configure = null
    )
    {
        return new(
            await TestHost.Start(
                builder =>
                {
                    builder.Services.AddSingleton(time ?? TimeProvider.System);
                    builder.Services.AddSingleton<ICallerSource, HeaderCallers>();
                    builder.AddBffDefaults().AddPlans(family);
                    configure?.Invoke(builder);
                },
                Use,
                settings
            )
        );
    }

    public async Task<HttpResponseMessage> Get(
        string path,
        string? subject = "alice",
        string? tenant = null,
        string? roles = null,
        string? host = null
    ) => await Send(HttpMethod.Get, path, subject, tenant, roles, null, host);

    public async Task<HttpResponseMessage> Send(
        HttpMethod method,
        string path,
        string? subject,
        string? tenant = null,
        string? roles = null,
        HttpContent? content = null,
        string? host = null
    )
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Host = host;
        request.Headers.TryAddWithoutValidation("Test-Subject", subject);
        request.Headers.TryAddWithoutValidation("Test-Tenant", tenant);
        request.Headers.TryAddWithoutValidation("Test-Roles", roles);
        return await Client.SendAsync(request);
    }

    public static async Task<JsonElement> Problem(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static void Use(WebApplication app)
    {
        app.UseBffPipeline();
        app.MapGet("/things", () => "things").RequireScope("api");
        app.MapGet("/search", () => "found").RequireScope("api").Named("search");
        app.MapGet("/expensive", () => "gold").RequireScope("api").Named("expensive");
        app.MapGet("/numbered/{n:int}", (int n) => n).RequireScope("api");
        app.MapGet("/open", () => "open").AllowAnonymous();
        app.MapGet("/unlimited", () => "unlimited").AllowAnonymous().WithoutLimits();
        app.MapPost(
                "/orders",
                async (HttpContext c) =>
                {
                    await c.Request.Body.CopyToAsync(Stream.Null);
                    return "ordered";
                }
            )
            .RequireScope("orders.write");
        app.MapPost("/documents", (HttpContext c) => "kept").RequireScope("api").WithMetadata(new AcceptsMetadata(["application/json"]));
        app.MapPost("/webhooks", () => "managed").RequireScope("webhooks.manage");
        app.MapGet("/v1/orders/{id}", (string id) => id).RequireScope("api");
        app.MapPost(
                "/batch/{items:int}",
                async (int items, HttpContext context, RateLimiter limiter) =>
                    items == 0 ? Results.BadRequest()
                    : await limiter.Charge(context, items) is { } refused ? refused
                    : Results.Ok(items)
            )
            .RequireScope("orders.write")
            .Named("batch")
            .ChargedByEndpoint();
    }

    private sealed class HeaderCallers : ICallerSource
    {
        public string? Challenge => "Test";

        public ValueTask<CallerResult> Resolve(HttpContext context)
        {
            var headers = context.Request.Headers;
            return new(
                headers["Test-Subject"] is [{ Length: > 0 } subject]
                    ? CallerResult.Ok(
                        new Caller
                        {
                            Subject = subject,
                            Kind = CallerKind.Token,
                            Tenant = headers["Test-Tenant"] is [{ Length: > 0 } tenant] ? tenant : null,
                            Roles = [.. headers["Test-Roles"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries)],
                            Scopes = [.. new[] { "api", "orders.write", "webhooks.manage", "tenants.manage", "audit.read" }],
                        }
                    )
                    : CallerResult.None
            );
        }
    }
}
