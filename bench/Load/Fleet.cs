using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Bff.Bench.Load;

/// <summary>Provides what every job needs: the published programs, the services, a real Redis, and credentials.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private const int Users = 100; // More users than connections, so no two requests of one caller overlap and share a call.
    private readonly string _references;
    private readonly string _mobile;
    private readonly string _web;
    private readonly string _partner;
    private readonly Dictionary<string, string> _environment;
    private readonly Server _services;
    private readonly Server _redis;

    private Fleet(
        string references,
        string mobile,
        string web,
        string partner,
        Dictionary<string, string> environment,
        Server services,
        Server redis,
        IReadOnlyList<string> tokens
    ) =>
        (_references, _mobile, _web, _partner, _environment, _services, _redis, Tokens) = (
            references,
            mobile,
            web,
            partner,
            environment,
            services,
            redis,
            tokens
        );

    public static HttpClient Http { get; } =
        new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>RS256 access tokens of different callers, on a plan that none of them exhausts.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>All services in one process.</summary>
    public Server Services => _services;

    /// <summary>
    /// Returns a value for <c>ConnectionStrings:redis</c>: one of the Redis server's sixteen databases, each with its own keys.
    /// </summary>
    public string Database(int number) => string.Create(CultureInfo.InvariantCulture, $"{Redis},defaultDatabase={number}");

    private string Redis => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_redis.Port}");

    public static async Task<Fleet> Start(LoadOptions options, CancellationToken cancellation)
    {
        var build = !options.SkipBuild;
        var probe = await Shell.Publish("bench/Probe", "Bff.Bench.Probe", build, cancellation);
        var upstream = await Shell.Publish("bench/Upstream", "Bff.Bench.Upstream", build, cancellation);
        var references = await Shell.Publish("bench/References", "Bff.Bench.References", build, cancellation);
        var mobile = await Shell.Publish("src/MobileBff", "MobileBff", build, cancellation);
        var web = await Shell.Publish("src/WebBff", "WebBff", build, cancellation);
        var partner = await Shell.Publish("src/PartnerBff", "PartnerBff", build, cancellation);
        var services = await Server.Start(
            "services",
            ["dotnet", upstream, "{port}"],
            new Dictionary<string, string>(),
            "/users/u-1",
            null,
            cancellation
        );
        var redis = await Server.Start(
            "redis",
            ["redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            new Dictionary<string, string>(),
            null,
            null,
            cancellation
        );
        var environment = new Dictionary<string, string>
        {
            ["DOTNET_STARTUP_HOOKS"] = probe,
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = services.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_TRACES_SAMPLER"] = "parentbased_traceidratio",
            ["OTEL_TRACES_SAMPLER_ARG"] = "0.1",
            ["OTEL_METRICS_EXPORTER"] = "none",
        };
        var tokens = await TokensOf(services, Enumerable.Range(1, Users).Select(i => $"u-{i}"), null, cancellation);
        return new Fleet(references, mobile, web, partner, environment, services, redis, tokens);
    }

    /// <summary>Starts one of <c>bench/References</c>.</summary>
    public Task<Server> Reference(string kind, string ready, CancellationToken cancellation) =>
        Server.Start(kind, ["dotnet", _references, kind, "{port}", _services.Address, Redis], _environment, ready, Tokens[0], cancellation);

    /// <summary>Starts the mobile gateway with everything on.</summary>
    /// <param name="name">Name in the table.</param>
    /// <param name="mode">Leased or Exact.</param>
    /// <param name="settings">Further settings, <c>Key:Key=value</c>.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <param name="ready">Path whose first 200 counts as the first answer.</param>
    /// <param name="variable">Environment variable of this process alone, <c>NAME=value</c>.</param>
    /// <param name="program">Another version's <c>MobileBff.dll</c>, or null for this version's.</param>
    public Task<Server> Gateway(
        string name,
        string mode,
        string[] settings,
        CancellationToken cancellation,
        string ready = "/health/ready",
        string? variable = null,
        string? program = null
    )
    {
        string[] command = ["dotnet", program ?? _mobile, .. Everything(mode, Redis), .. settings.Select(s => "--" + s)];
        var environment = variable?.Split('=', 2) is [var key, var value]
            ? new Dictionary<string, string>(_environment) { [key] = value }
            : _environment;
        return Server.Start(name, command, environment, ready, Tokens[0], cancellation);
    }

    /// <summary>
    /// Starts the mobile gateways of <see cref="LoadOptions.Before"/> in each of these modes, named by the folders of their programs.
    /// </summary>
    public async Task<Servers> Before(LoadOptions options, string[] modes, string[] settings, CancellationToken cancellation)
    {
        var servers = new Servers();
        foreach (var program in options.Before)
        {
            var version = Path.GetFileName(Path.GetDirectoryName(program));
            foreach (var mode in modes)
            {
                servers.Add(await Gateway($"gateway {version}, {mode}", mode, settings, cancellation, program: program));
            }
        }

        return servers;
    }

    /// <summary>Starts the web gateway with everything on, and the mobile gateway's pass-through as a route.</summary>
    public Task<Server> Web(string name, CancellationToken cancellation)
    {
        const string Route = "--ReverseProxy:Routes:bench:";
        string[] command =
        [
            "dotnet",
            _web,
            .. Everything("Leased", Redis),
            .. Session,
            $"--Upstreams:catalog:Address={_services.Address}",
            Route + "ClusterId=products",
            Route + "Match:Path=/catalogue/products",
            Route + "Transforms:0:PathSet=/products",
            Route + "Metadata:Scope=api",
        ];
        return Server.Start(name, command, _environment, "/health/ready", null, cancellation);
    }

    /// <summary>Starts the partner gateway with everything on; its pass-through answers the same as the mobile gateway's.</summary>
    /// <param name="name">Name in the table.</param>
    /// <param name="database">Number of the Redis database that holds its keys.</param>
    /// <param name="pepper">Pepper under which the keys are hashed.</param>
    /// <param name="cancellation">Cancels the start.</param>
    public Task<Server> Partner(string name, int database, string pepper, CancellationToken cancellation)
    {
        string[] command =
        [
            "dotnet",
            _partner,
            .. Everything("Leased", Database(database)),
            "--ApiKeys:Pepper=" + pepper,
            "--Tenants:bench:Plan=enterprise",
            "--State:Timeout=00:00:01",
            .. Session,
            "--ReverseProxy:Routes:shipments:Transforms:0:PathSet=/products",
        ];
        return Server.Start(name, command, _environment, "/health/ready", null, cancellation);
    }

    /// <summary>Sends all commands to Redis at once.</summary>
    public async Task Fill(IEnumerable<string[]> commands, CancellationToken cancellation)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _redis.Port, cancellation);
        var stream = client.GetStream();
        var (sent, answered) = (0, 0);
        var reading = Task.Run(
            async () =>
            {
                var buffer = new byte[64 * 1024];
                while (await stream.ReadAsync(buffer, cancellation) is > 0 and var read)
                {
                    answered += buffer.AsSpan(0, read).Count((byte)'\n'); // Redis answers each of these commands with one line.
                }
            },
            cancellation
        );
        await using (var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\r\n" })
        {
            foreach (var command in commands)
            {
                sent++;
                await writer.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"*{command.Length}\r\n"));
                foreach (var word in command)
                {
                    await writer.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"${word.Length}\r\n{word}\r\n"));
                }
            }
        }

        client.Client.Shutdown(SocketShutdown.Send);
        await reading;
        if (answered != sent)
        {
            throw new InvalidRunException($"Redis answered {answered} of {sent} commands");
        }
    }

    private IEnumerable<string> Session =>
        [
            "--Session:Authority=" + _services.Address,
            "--Session:RequireHttpsMetadata=false",
            "--Session:ClientId=bench",
            "--Session:ClientSecret=bench",
        ];

    private IEnumerable<string> Everything(string mode, string redis)
    {
        string[] services =
        [
            "users",
            "orders",
            "products",
            "pricing",
            "reviews",
            "inventory",
            "recommendations",
            "notifications",
            "shipping",
            "search",
            "media",
        ];
        return
        [
            "--urls=http://127.0.0.1:{port}",
            "--ConnectionStrings:redis=" + redis,
            "--Authentication:Schemes:Bearer:Authority=" + _services.Address,
            "--Authentication:Schemes:Bearer:ValidAudiences:0=bff",
            "--Authentication:Schemes:Bearer:RequireHttpsMetadata=false",
            "--Limits:Mode=" + mode,
            "--Plans:enterprise:RequestsPerMinute=10000000",
            "--Plans:enterprise:Burst=10000",
            .. services.Select(s => $"--Upstreams:{s}:Address={_services.Address}"),
        ];
    }

    public Task<IReadOnlyList<string>> TokensOf(IEnumerable<string> subjects, string? tenant, CancellationToken cancellation) =>
        TokensOf(_services, subjects, tenant, cancellation);

    /// <summary>Makes a service slow; 0 ends the delay.</summary>
    public async Task Delay(string service, int milliseconds, CancellationToken cancellation)
    {
        using var answer = await Http.GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"{_services.Address}/delay?service={service}&ms={milliseconds}"),
            cancellation
        );
        answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _redis.DisposeAsync();
    }

    private static async Task<IReadOnlyList<string>> TokensOf(
        Server services,
        IEnumerable<string> subjects,
        string? tenant,
        CancellationToken cancellation
    )
    {
        var tokens = new List<string>();
        foreach (var subject in subjects)
        {
            tokens.Add(
                await Http.GetStringAsync($"{services.Address}/token?sub={subject}{(tenant is null ? "" : "&tid=" + tenant)}", cancellation)
            );
        }

        return tokens;
    }
}

/// <summary>Servers that are stopped together.</summary>
internal sealed class Servers : List<Server>, IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        foreach (var server in this)
        {
            await server.DisposeAsync();
        }
    }
}
