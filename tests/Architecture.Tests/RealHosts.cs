global using Bff.TestKit;
using MobileHost = Bff.TestKit.GatewayHost<MobileBff.Features.Meta>;
using PartnerHost = Bff.TestKit.GatewayHost<PartnerBff.Features.V1.OrderV1>;
using WebHost = Bff.TestKit.GatewayHost<WebBff.Features.Meta>;

namespace Architecture.Tests;

/// <summary>The three gateways as they ship, running, for tests that look at what they are made of.</summary>
public sealed class RealHosts : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _started = [];

    /// <summary>Each host's services, in the order of <see cref="Source.Hosts"/>.</summary>
    public IReadOnlyDictionary<string, IServiceProvider> Services { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var surroundings = await Surroundings.StartAsync();
        var session = new Dictionary<string, string?>
        {
            ["Session:Authority"] = surroundings.Identity.Authority,
            ["Session:ClientId"] = "web-bff",
            ["Session:ClientSecret"] = "web-bff-development-secret",
            ["Session:RequireHttpsMetadata"] = "false",
        };
        var mobile = MobileHost.Start(surroundings);
        var web = WebHost.Start(surroundings, session);
        var partner = PartnerHost.Start(surroundings, session);
        _started.AddRange([mobile, web, partner, surroundings]);
        Services = new Dictionary<string, IServiceProvider> { ["MobileBff"] = mobile.Services, ["WebBff"] = web.Services, ["PartnerBff"] = partner.Services };
    }

    public async Task DisposeAsync()
    {
        foreach (var started in _started)
        {
            await started.DisposeAsync();
        }
    }
}

/// <summary>Shares the hosts.</summary>
[CollectionDefinition(Name)]
public sealed class RealHostsCollection : ICollectionFixture<RealHosts>
{
    public const string Name = "Real hosts";
}
