using System.Net;
using System.Net.Sockets;
using Bff.Bench.Soak.Hosts;
using Bff.Bench.Soak.Store;
using Bff.Callers.ApiKeys;
using Bff.Dev.IdentityProvider;
using Bff.Dev.Upstreams;
using Bff.TestKit;

namespace Bff.Bench.Soak;

/// <summary>
/// Runs everything: sample services and identity provider in this process, Redis and its replica, a partner's receivers, and nine gateways.
/// </summary>
internal sealed class World : IAsyncDisposable
{
    private static readonly string[] Parts =
    [
        "home-feed:user",
        "home-feed:orders",
        "home-feed:recommendations",
        "home-feed:notifications",
        "orders:orders",
        "dashboard:user",
        "dashboard:orders",
        "dashboard:notifications",
        "dashboard:recommendations",
    ];

    private World(
        SampleServices services,
        DevelopmentIdentityProvider identity,
        Surroundings surroundings,
        StorePair store,
        Receiver sound,
        Receiver flaky
    )
    {
        (Services, Identity, Store, Sound, Flaky) = (services, identity, store, sound, flaky);
        (string, string)[] common =
        [
            ("ConnectionStrings:redis", store.ConnectionString),
            ("State:Timeout", "00:00:00.500"),
            ("Shutdown:Delay", "00:00:01"),
            ("Composition:Deadline", "00:00:05"),
            .. services.All.Select(s => ($"Upstreams:{s.Name}:Timeout", "00:00:02")),
            .. Parts.Select(p => ($"Composition:{p}:Timeout", "00:00:02")),
        ];
        Mobile = new("MobileBff", surroundings, Time, common);
        Web = new("WebBff", surroundings, Time, common);
        Partner = new(
            "PartnerBff",
            surroundings,
            Time,
            [
                .. common,
                ("ApiKeys:Bootstrap:acme", Key),
                ("ApiKeys:Bootstrap:globex", MeterKey),
                ("Tenants:acme:Plan", "enterprise"),
                ("Tenants:globex:Plan", "enterprise"),
                ("Webhooks:AllowPrivateNetworks", "true"),
                ("Webhooks:Timeout", "00:00:03"),
                .. Enumerable.Range(0, 10).Select(n => ($"Webhooks:Schedule:{n}", n == 0 ? "00:00:00" : "00:00:05")),
            ]
        );
    }

    public Timeline Time { get; } = new();

    public SampleServices Services { get; }

    public DevelopmentIdentityProvider Identity { get; }

    public StorePair Store { get; }

    /// <summary>A partner's server that accepts every delivery.</summary>
    public Receiver Sound { get; }

    /// <summary>A partner's server that refuses every tenth delivery.</summary>
    public Receiver Flaky { get; }

    public Fleet Mobile { get; }

    public Fleet Web { get; }

    public Fleet Partner { get; }

    public IReadOnlyList<Fleet> Fleets => [Mobile, Web, Partner];

    /// <summary>Key of the tenant acme with every scope.</summary>
    public string Key { get; } = ApiKeyFormat.New(isTest: false);

    /// <summary>Key of the tenant globex, whose usage must be exact.</summary>
    public string MeterKey { get; } = ApiKeyFormat.New(isTest: false);

    /// <summary>
    /// Held during faults of Redis, and while the instance that serves the counted requests ends, so that no fault can lose its counts.
    /// </summary>
    public SemaphoreSlim StoreIsWell { get; } = new(1, 1);

    /// <summary>False while writes may be lost, so that no request that must be counted exactly is sent.</summary>
    public volatile bool MayCount = true;

    /// <summary>Client that follows no redirect, keeps no cookie and waits at most ten seconds.</summary>
    public HttpClient Http { get; } = new(Plain()) { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>Client for answers that do not end.</summary>
    public HttpClient Streams { get; } = new(Plain()) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Client for refused credentials, from many addresses, because refusals count against the address they come from.</summary>
    public HttpClient Strangers { get; } =
        new(
            new SocketsHttpHandler
            {
                UseProxy = false,
                UseCookies = false,
                AllowAutoRedirect = false,
                PooledConnectionLifetime = TimeSpan.FromSeconds(1),
                ConnectCallback = FromAnywhere,
            }
        )
        {
            Timeout = TimeSpan.FromSeconds(10),
        };

    public static async Task<World> Start()
    {
        LogFile.Clear();
        var surroundings = await Surroundings.StartAsync(new SampleServicesOptions { NotificationInterval = TimeSpan.FromSeconds(1) });
        var (sound, flaky) = (await Receiver.Start(), await Receiver.Start());
        var world = new World(surroundings.Services, surroundings.Identity, surroundings, StorePair.Start(), sound, flaky);
        flaky.Answer = (_, context) =>
        {
            context.Response.StatusCode = Random.Shared.Next(10) == 0 ? 500 : 204;
            return Task.CompletedTask;
        };
        try
        {
            foreach (var fleet in world.Fleets)
            {
                await Task.WhenAll(Enumerable.Range(0, Fleet.Count).Select(fleet.Start));
            }

            return world.Fleets.All(f => f.Serving.Count() == Fleet.Count)
                ? world
                : throw new InvalidOperationException(string.Join(Environment.NewLine, world.Fleets.SelectMany(f => f.Surprises)));
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    public string Token(string user, string scope = "openid profile email api", TimeSpan? life = null, string? tenant = null) =>
        Identity.MintToken(
            new TokenRequest
            {
                Sub = user,
                Scope = scope,
                Tid = tenant,
                ExpiresIn = life ?? TimeSpan.FromHours(2),
            }
        );

    public async ValueTask DisposeAsync()
    {
        foreach (var fleet in Fleets)
        {
            await fleet.DisposeAsync();
        }

        await Store.DisposeAsync();
        await Sound.DisposeAsync();
        await Flaky.DisposeAsync();
        await Services.DisposeAsync();
        await Identity.DisposeAsync();
        Http.Dispose();
        Streams.Dispose();
        Strangers.Dispose();
        StoreIsWell.Dispose();
    }

    private static SocketsHttpHandler Plain() =>
        new()
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(2),
        };

    private static async ValueTask<Stream> FromAnywhere(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            byte[] address = [127, (byte)Random.Shared.Next(1, 255), (byte)Random.Shared.Next(256), (byte)Random.Shared.Next(1, 255)];
            socket.Bind(new IPEndPoint(new IPAddress(address), 0));
            await socket.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
