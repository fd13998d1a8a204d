global using Bff.TestKit;

namespace Architecture.Tests;

/// <summary>Runs the three gateways as they ship, for tests that inspect their parts.</summary>
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
        var services = new Dictionary<string, IServiceProvider>();
        foreach (var name in Source.Hosts)
        {
            var host = Start(name, surroundings, session, "Development");
            _started.Add(host);
            services[name] = host.Services;
        }

        _started.Add(surroundings);
        Services = services;
    }

    /// <summary>Starts one gateway.</summary>
    internal static Running Start(string host, Surroundings surroundings, Dictionary<string, string?> settings, string environment) =>
        host switch
        {
            "MobileBff" => Of(
                GatewayHost<MobileBff.Features.Meta>.Start(surroundings, settings, environment: environment),
                h => h.Services
            ),
            "WebBff" => Of(GatewayHost<WebBff.Features.Meta>.Start(surroundings, settings, environment: environment), h => h.Services),
            _ => Of(GatewayHost<PartnerBff.Features.V1.OrderV1>.Start(surroundings, settings, environment: environment), h => h.Services),
        };

    private static Running Of<T>(T host, Func<T, IServiceProvider> services)
        where T : IAsyncDisposable => new(host, services(host));

    internal sealed class Running(IAsyncDisposable host, IServiceProvider services) : IAsyncDisposable
    {
        public IServiceProvider Services => services;

        public ValueTask DisposeAsync() => host.DisposeAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var started in _started)
        {
            await started.DisposeAsync();
        }
    }
}

/// <summary>Shares the hosts between test classes.</summary>
[CollectionDefinition(Name)]
public sealed class RealHostsCollection : ICollectionFixture<RealHosts>
{
    public const string Name = "Real hosts";
}
