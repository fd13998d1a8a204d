using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Bff.Dev.Stack;

/// <summary>
/// Everything that the command starts: sample services, identity provider and three gateways, which are stopped together.
/// </summary>
internal sealed class RunningStack(StackOptions options) : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private readonly List<Child> _children = [];

    public HttpClient Http { get; } =
        new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
        {
            Timeout = TimeSpan.FromSeconds(15),
        };

    /// <summary>A live API key of the tenant acme, new at each start.</summary>
    public string ApiKey { get; } = DevelopmentKey.New();

    /// <summary>Builds and starts everything, and reports progress. Returns false, with the reason printed, if anything fails.</summary>
    public async Task<bool> Start(CancellationToken cancellation)
    {
        if (TakenPort() is { } port)
        {
            Console.Error.WriteLine($"Port {port} of 127.0.0.1 is in use. Stop the process that listens there, then start again.");
            return false;
        }

        var clock = Stopwatch.StartNew();
        Console.Write("Building (the first time takes a minute or two) ... ");
        if (!await Repository.Build(cancellation))
        {
            return false;
        }

        Console.WriteLine($"{clock.Elapsed.TotalSeconds:0} s");
        var processes = StackPlan.Processes(options.Redis, options.ServiceTokens, ApiKey);
        var hosts = processes.TakeLast(3);
        return await Start(processes.Except(hosts), cancellation) && await Start(hosts, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_children.Select(c => c.DisposeAsync().AsTask()));
        Http.Dispose();
    }

    private static int? TakenPort()
    {
        foreach (var port in StackPlan.Ports)
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

    // Starts all processes together, then waits for each.
    private async Task<bool> Start(IEnumerable<StackProcess> processes, CancellationToken cancellation)
    {
        var started = new List<(StackProcess Process, Child Child)>();
        foreach (var process in processes)
        {
            started.Add((process, new Child(process.Project, process.Arguments, process.Environment)));
            _children.Add(started[^1].Child);
        }

        foreach (var (process, child) in started)
        {
            if (!await Ready(process, child, cancellation))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> Ready(StackProcess process, Child child, CancellationToken cancellation)
    {
        Console.Write($"Starting {process.Name} ... ");
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < StartLimit && !child.HasExited)
        {
            try
            {
                using var answer = await Http.GetAsync(process.Ready, cancellation);
                if (answer.IsSuccessStatusCode)
                {
                    Console.WriteLine($"{clock.Elapsed.TotalSeconds:0.0} s");
                    return true;
                }
            }
            catch (HttpRequestException)
            {
                // The process is not listening yet.
            }

            await Task.Delay(100, cancellation);
        }

        Console.WriteLine("failed");
        Console.Error.WriteLine(child.Tail);
        Console.Error.WriteLine($"The whole log is in {child.LogFile}");
        return false;
    }
}
