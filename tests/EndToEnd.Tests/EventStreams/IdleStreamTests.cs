using System.Diagnostics;
using Bff.TestKit;
using Xunit.Abstractions;

namespace Bff.EndToEnd.Tests.EventStreams;

/// <summary>
/// Measures what a thousand idle streams add to the cost of a real process on a real Redis.
/// </summary>
public sealed class IdleStreamTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Streams = 1000;
    private const int Sessions = 20;
    private static readonly TimeSpan TwoHeartbeats = TimeSpan.FromSeconds(31);
    private readonly string _folder = GatewayProcess.NewFolder("WebBff");
    private Surroundings _surroundings = null!;

    [RedisFact]
    public async Task A_thousand_idle_streams_cost_at_most_40_MiB_and_no_measurable_CPU()
    {
        using var redis = RedisServer.Run();
        await using var gateway = await WebGateway.Start(
            _surroundings,
            _folder,
            redis,
            ("DOTNET_TieredCompilation", "0"), // The measurement excludes recompilation by the JIT
            ("DOTNET_GCgen0size", "0x400000"),
            ("DOTNET_GCHeapCount", "0x2")
        ); // and garbage, which a large machine collects later.
        var browsers = new List<SignedInBrowser>();
        for (var i = 0; i < Sessions; i++)
        {
            browsers.Add(await SignedInBrowser.SignIn(gateway, _surroundings));
            using var warm = await browsers[i].Open(gateway, null);
        }

        var before = gateway.ResidentBytes;
        var streams = (await Task.WhenAll(browsers.Select(b => OpenMany(b, gateway)))).SelectMany(opened => opened).ToList();
        var reading = streams.Select(s => s.Next()).ToList();
        await Eventually.True(() => streams.All(s => s.LastEventId is not null));
        var said = streams.ConvertAll(s => s.Comments);
        var opened = gateway.ResidentBytes;
        var busy = await CpuShare(gateway);
        var memory = Math.Max(opened, gateway.ResidentBytes) - before;
        Assert.All(reading, r => Assert.False(r.IsCompleted));
        Assert.All(streams.Zip(said), s => Assert.InRange(s.First.Comments - s.Second, 1, 3));
        streams.ForEach(s => s.Dispose());
        var idle = await CpuShare(gateway);
        output.WriteLine($"{memory / 1048576.0:F1} MiB; {idle:P2} of a core without, {busy:P2} with them");
        Assert.True(memory <= 40 * 1024 * 1024, $"{memory} bytes");
        Assert.True(busy - idle < 0.01, $"{busy:P2} of a core, without the streams {idle:P2}");
        browsers.ForEach(b => b.Dispose());
    }

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync()
    {
        await _surroundings.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<List<EventSource>> OpenMany(SignedInBrowser browser, GatewayProcess gateway)
    {
        var streams = new List<EventSource>();
        while (streams.Count < Streams / Sessions)
        {
            streams.Add(await browser.Open(gateway, null));
        }

        return streams;
    }

    /// <summary>Returns the share of a core that the gateway uses over two heartbeats.</summary>
    private static async Task<double> CpuShare(GatewayProcess gateway)
    {
        var (cpu, time) = (gateway.Cpu, Stopwatch.StartNew());
        await Task.Delay(TwoHeartbeats);
        return (gateway.Cpu - cpu) / time.Elapsed;
    }
}
