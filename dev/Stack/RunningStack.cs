using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Bff.Dev.Stack;

/// <summary>Everything that the one command starts: sample services, identity provider, three gateways; stopped together.</summary>
internal sealed class RunningStack(StackOptions options) : IAsyncDisposable
{
    public const string Mobile = "http://127.0.0.1:8081", Web = "http://127.0.0.1:8082", Partner = "http://127.0.0.1:8083";
    public const string IdentityProvider = "http://127.0.0.1:9000";

    /// <summary>In the order of their ports, from 9001.</summary>
    public static readonly string[] Services =
        ["users", "orders", "products", "catalog", "reviews", "inventory", "pricing", "recommendations", "notifications", "shipping", "search", "media"];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly List<Child> _children = [];

    public HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
    {
        Timeout = TimeSpan.FromSeconds(15),
    };

    /// <summary>A live key of the tenant acme, new at each start.</summary>
    public string ApiKey { get; } = DevelopmentKey.New();

    public static Uri Address(string service) => new($"http://127.0.0.1:{9001 + Array.IndexOf(Services, service)}");

    /// <summary>Builds and starts everything, reporting progress. False, with the reason printed, when something cannot be.</summary>
    public async Task<bool> Start(CancellationToken cancellation)
    {
        if (TakenPort() is { } port)
        {
            Console.Error.WriteLine($"Port {port} of 127.0.0.1 is in use. Stop what listens there, then start again.");
            return false;
        }

        var clock = Stopwatch.StartNew();
        Console.Write("Building (the first time takes a minute or two) ... ");
        if (!await Repository.Build(cancellation))
        {
            return false;
        }

        Console.WriteLine($"{clock.Elapsed.TotalSeconds:0} s");
        Launch("dev/Upstreams", options.ServiceTokens ? ["--base-port", "9001", "--token-authority", IdentityProvider] : ["--base-port", "9001"], []);
        Launch("dev/IdentityProvider", [], new() { ["IdentityProvider__Port"] = "9000" });
        Launch("dev/Upstreams", ["--base-port", "9101"], []);
        return await Ready("sample services", Address("media").AbsoluteUri + "__calls", 0, cancellation)
            && await Ready("identity provider", IdentityProvider + "/.well-known/openid-configuration", 1, cancellation)
            && Launch("src/MobileBff", [], Host("MobileBff", Mobile))
            && Launch("src/WebBff", [], WebHost())
            && Launch("src/PartnerBff", [], PartnerHost())
            && await Ready("MobileBff", Mobile + "/health/ready", 3, cancellation)
            && await Ready("WebBff", Web + "/health/ready", 4, cancellation)
            && await Ready("PartnerBff", Partner + "/health/ready", 5, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_children.Select(c => c.DisposeAsync().AsTask()));
        Http.Dispose();
    }

    private static int? TakenPort()
    {
        foreach (var port in (int[])[8081, 8082, 8083, 9000, .. Enumerable.Range(9001, Services.Length), .. Enumerable.Range(9101, Services.Length)])
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            }
            catch (SocketException)
            {
                return port;
            }
        }

        return null;
    }

    private Dictionary<string, string?> Host(string name, string address)
    {
        var settings = new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = address,
            ["ConnectionStrings__redis"] = options.Redis,
        };
        if (options.ServiceTokens)
        {
            ServiceTokens.Add(settings, name);
        }

        return settings;
    }

    // The app asks who is signed in before anybody is.
    private Dictionary<string, string?> WebHost() => new(Host("WebBff", Web)) { ["Session__AnonymousUser"] = "Null" };

    // Test keys see nothing live: they have sample services of their own, on the live ones' ports plus a hundred.
    private Dictionary<string, string?> PartnerHost()
    {
        var settings = Host("PartnerBff", Partner);
        settings["ApiKeys__Bootstrap__acme"] = ApiKey;
        foreach (var service in Services)
        {
            settings[$"Sandbox__Upstreams__{service}__Address"] = new UriBuilder(Address(service)) { Port = Address(service).Port + 100 }.Uri.AbsoluteUri;
        }

        return settings;
    }

    private bool Launch(string project, string[] arguments, Dictionary<string, string?> environment)
    {
        environment["DOTNET_ENVIRONMENT"] = "Development";
        _children.Add(new Child(project, arguments, environment));
        return true;
    }

    private async Task<bool> Ready(string what, string address, int child, CancellationToken cancellation)
    {
        Console.Write($"Starting {what} ... ");
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Patience && !_children[child].HasExited)
        {
            try
            {
                using var answer = await Http.GetAsync(address, cancellation);
                if (answer.IsSuccessStatusCode)
                {
                    Console.WriteLine($"{clock.Elapsed.TotalSeconds:0.0} s");
                    return true;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(100, cancellation);
        }

        Console.WriteLine("failed");
        Console.Error.WriteLine(_children[child].Tail);
        Console.Error.WriteLine($"The whole log is in {_children[child].LogFile}");
        return false;
    }
}
