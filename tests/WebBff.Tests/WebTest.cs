global using System.Net;
global using System.Text.Json.Nodes;
global using Bff.Dev.Upstreams;
global using Bff.TestKit;
global using Fault = Bff.Dev.Upstreams.Faults.Fault;
global using FaultMode = Bff.Dev.Upstreams.Faults.FaultMode;
global using IdentityEndpoint = Bff.Dev.IdentityProvider.IdentityEndpoint;
global using IdentityFault = Bff.Dev.IdentityProvider.FaultMode;
global using TokenFlaw = Bff.Dev.IdentityProvider.TokenFlaw;
global using WebHost = Bff.TestKit.GatewayHost<WebBff.Features.Meta>;
using Microsoft.Extensions.DependencyInjection;

namespace WebBff.Tests;

/// <summary>Starts a fresh host for every test; the services are reset to their initial state.</summary>
public abstract class WebTest : IClassFixture<SharedSurroundings>, IAsyncLifetime
{
    internal static readonly string[] Parts =
    [
        "dashboard:user",
        "dashboard:orders",
        "dashboard:notifications",
        "dashboard:recommendations",
        "products:products",
        "products:pricing",
        "products:inventory",
        "product:product",
        "product:pricing",
        "product:inventory",
        "product:reviews",
        "product:related",
        "reviews:reviews",
        "orders:orders",
        "order:order",
        "order:customer",
        "order:products",
        "order:shipping",
        "search:search",
    ];

    private readonly List<IAsyncDisposable> _hosts = [];
    private readonly List<Browser> _browsers = [];

    protected WebTest(SharedSurroundings surroundings)
    {
        Surroundings = surroundings.Value;
        Upstream.Reset();
        Surroundings.Identity.Faults.Clear();
        Surroundings.Identity.IdTokenFlaw = TokenFlaw.None;
        Surroundings.Identity.ChangeIdToken = null;
        Surroundings.Identity.Options.Time = TimeProvider.System;
    }

    /// <summary>Pattern of a token's beginning, up to its signature. It is long enough never to occur in random text.</summary>
    protected const string Token = @"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.";

    protected static TimeSpan WaitLimit { get; } = TimeSpan.FromSeconds(60);

    protected Surroundings Surroundings { get; }

    protected SampleServices Upstream => Surroundings.Services;

    protected WebHost Start(Dictionary<string, string?>? settings = null, Action<IServiceCollection>? services = null)
    {
        var host = WebHost.Start(Surroundings, Settings(Surroundings, settings), services);
        _hosts.Add(host);
        return host;
    }

    /// <summary>Timeouts and plans that neither a slow machine nor a busy test reaches, except those that the test sets.</summary>
    internal static Dictionary<string, string?> Settings(Surroundings surroundings, Dictionary<string, string?>? settings = null) =>
        Generous
            .Settings()
            .WithParts(Parts)
            .WithPlans()
            .With(
                new Dictionary<string, string?>
                {
                    ["Session:Authority"] = surroundings.Identity.Authority,
                    ["Session:ClientId"] = "web-bff",
                    ["Session:ClientSecret"] = "web-bff-development-secret",
                    ["Session:RequireHttpsMetadata"] = "false",
                }
            )
            .With(settings);

    /// <summary>Starts a host and a provider with a clock that the test moves.</summary>
    protected (WebHost Host, ManualTimeProvider Clock) StartClocked(Dictionary<string, string?>? settings = null)
    {
        var clock = NewClock();
        return (Start(settings, s => s.Replace(clock)), clock);
    }

    /// <summary>Creates a clock that the test moves and the provider uses.</summary>
    protected ManualTimeProvider NewClock()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        Surroundings.Identity.Options.Time = clock;
        return clock;
    }

    protected Browser NewBrowser(WebHost host)
    {
        var browser = new Browser(host, Surroundings.Identity.Authority);
        _browsers.Add(browser);
        return browser;
    }

    protected async Task<Browser> SignedIn(WebHost host, string user = "alice")
    {
        var browser = NewBrowser(host);
        await browser.SignIn(user);
        return browser;
    }

    protected static Task<JsonObject> Ok(HttpResponseMessage response) => JsonAnswer.Of(response);

    protected static Task<JsonObject> Problem(HttpResponseMessage response, int status, string code) =>
        JsonAnswer.Problem(response, status, code);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _browsers.ForEach(b => b.Dispose());
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }
    }
}
