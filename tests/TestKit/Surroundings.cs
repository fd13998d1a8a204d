using System.Text.Json.Nodes;
using Bff.Dev.IdentityProvider;
using Bff.Dev.Upstreams;
using Xunit;

namespace Bff.TestKit;

/// <summary>
/// The network beyond a gateway: all sample services and the identity provider, in this process, on free loopback ports.
/// </summary>
public sealed class Surroundings : IAsyncDisposable
{
    private Surroundings(SampleServices services, DevelopmentIdentityProvider identity)
    {
        Services = services;
        Identity = identity;
    }

    public SampleServices Services { get; }

    public DevelopmentIdentityProvider Identity { get; }

    /// <summary>Checks all gateways that are processes of their own, together, because one may disclose what another received.</summary>
    public LeakSentinel Leaks { get; } = new();

    /// <summary>The settings with which a host uses these surroundings.</summary>
    public IEnumerable<KeyValuePair<string, string?>> GatewaySettings =>
        [
            .. Services.GatewaySettings,
            new("Authentication:Schemes:Bearer:Authority", Identity.Authority),
            new("Authentication:Schemes:Bearer:ValidAudiences:0", "bff"),
            new("Authentication:Schemes:Bearer:RequireHttpsMetadata", "false"),
        ];

    public static async Task<Surroundings> StartAsync(SampleServicesOptions? services = null) =>
        new(
            await SampleServices.StartAsync(services),
            await DevelopmentIdentityProvider.StartAsync(new IdentityProviderOptions { Port = 0 })
        );

    /// <summary>Returns an access token of the mobile application for a user.</summary>
    public string Token(string user = "u-1001", string? scope = "openid profile email api", JsonObject? extra = null) =>
        Identity.MintToken(
            new TokenRequest
            {
                Sub = user,
                Scope = scope,
                Extra = extra,
            }
        );

    public async ValueTask DisposeAsync()
    {
        await Services.DisposeAsync();
        await Identity.DisposeAsync();
    }
}

/// <summary>Surroundings that the tests of a class share; they run one after another.</summary>
public sealed class SharedSurroundings : IAsyncLifetime
{
    public Surroundings Value { get; private set; } = null!;

    public async Task InitializeAsync() => Value = await Surroundings.StartAsync();

    public async Task DisposeAsync() => await Value.DisposeAsync();
}
