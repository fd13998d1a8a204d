global using System.Net;
global using System.Text.Json.Nodes;
global using Bff.Dev.Upstreams;
global using Bff.TestKit;
global using Fault = Bff.Dev.Upstreams.Faults.Fault;
global using FaultMode = Bff.Dev.Upstreams.Faults.FaultMode;
global using MobileHost = Bff.TestKit.GatewayHost<MobileBff.Features.Meta>;
global using TokenFlaw = Bff.Dev.IdentityProvider.TokenFlaw;
global using TokenRequest = Bff.Dev.IdentityProvider.TokenRequest;
using Microsoft.Extensions.DependencyInjection;

namespace MobileBff.Tests;

/// <summary>Starts a fresh host for every test; the services are reset to their initial state.</summary>
public abstract class MobileTest : IClassFixture<SharedSurroundings>, IAsyncLifetime
{
    private static readonly string[] Parts =
    [
        "home-feed:user",
        "home-feed:orders",
        "home-feed:recommendations",
        "home-feed:notifications",
        "orders:orders",
        "order:order",
        "order:shipping",
        "product:product",
        "product:pricing",
        "product:reviews",
        "product:inventory",
        "search:search",
        "sync:orders",
        "sync:notifications",
        "me:user",
    ];

    private readonly List<MobileHost> _hosts = [];

    protected MobileTest(SharedSurroundings surroundings)
    {
        Surroundings = surroundings.Value;
        Upstream.Reset();
    }

    protected static TimeSpan WaitLimit { get; } = TimeSpan.FromSeconds(60);

    protected Surroundings Surroundings { get; }

    protected SampleServices Upstream => Surroundings.Services;

    /// <summary>Starts a host with timeouts that no slow machine reaches, except those that the test sets.</summary>
    protected MobileHost Start(Dictionary<string, string?>? settings = null, Action<IServiceCollection>? services = null)
    {
        var host = MobileHost.Start(Surroundings, Generous.Settings().WithParts(Parts).WithPlans().With(settings), services);
        _hosts.Add(host);
        return host;
    }

    protected static async Task<JsonObject> Json(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();

    protected static Task<JsonObject> Ok(HttpResponseMessage response) => JsonAnswer.Of(response);

    protected static Task<JsonObject> Problem(HttpResponseMessage response, int status, string code) =>
        JsonAnswer.Problem(response, status, code);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }
    }
}
