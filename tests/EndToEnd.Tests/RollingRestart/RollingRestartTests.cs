using System.Collections.Concurrent;
using System.Net;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.RollingRestart;

/// <summary>Real processes, real SIGTERM.</summary>
public sealed class RollingRestartTests : IAsyncLifetime
{
    private readonly string _folder = GatewayProcess.NewFolder("MobileBff");
    private Surroundings _surroundings = null!;

    [Fact]
    public async Task A_rolling_restart_under_load_loses_no_request()
    {
        await using var balancer = new Balancer();
        await using var first = await GatewayProcess.Start("MobileBff", _surroundings, _folder);
        await using var second = await GatewayProcess.Start("MobileBff", _surroundings, _folder);
        await Join(balancer, first);
        await Join(balancer, second);

        var lost = new ConcurrentQueue<string>();
        var served = new ConcurrentDictionary<GatewayProcess, int>();
        using var enough = new CancellationTokenSource();
        var load = Enumerable.Range(0, 4).Select(i => Load(balancer, $"u-{1001 + i}", served, lost, enough.Token)).ToList();

        await using var third = await Replace(balancer, first);
        await using var fourth = await Replace(balancer, second);
        await Eventually.True(() => served.GetValueOrDefault(third) > 20 && served.GetValueOrDefault(fourth) > 20, GatewayProcess.Patience);
        await enough.CancelAsync();
        await Task.WhenAll(load);

        Assert.True(lost.IsEmpty, string.Join(Environment.NewLine, lost));
        Assert.Equal(4, served.Count);
    }

    [Fact]
    public async Task On_a_signal_to_end_requests_in_flight_are_answered_first()
    {
        await using var gateway = await GatewayProcess.Start("MobileBff", _surroundings, _folder, ("Shutdown:Delay", "00:00:01"));
        using var held = _surroundings.Services.Users.Faults.Hold();
        var inFlight = Enumerable.Range(0, 5).Select(i => gateway.Client.SendAsync(Request("/me", $"u-{1001 + i}"))).ToList();
        await _surroundings.Services.Users.Calls.ReachAsync(5).WaitAsync(GatewayProcess.Patience);

        await gateway.Terminate();
        await Eventually.True(async () => !await gateway.IsReady(), GatewayProcess.Patience);
        await Eventually.True(() => Refuses(gateway.Address), GatewayProcess.Patience); // It has stopped to listen, and still waits.
        Assert.False(gateway.HasExited);
        held.Dispose();

        foreach (var response in await Task.WhenAll(inFlight))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(0, await gateway.Exit());
    }

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync()
    {
        await _surroundings.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<bool> Refuses(Uri address)
    {
        using var client = new HttpClient();
        try
        {
            using var answer = await client.GetAsync(new Uri(address, "/health/live"));
            return false;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }

    private static async Task Join(Balancer balancer, GatewayProcess instance)
    {
        balancer.Add(instance);
        await Eventually.True(() => balancer.IsSentTo(instance), GatewayProcess.Patience);
    }

    private async Task<GatewayProcess> Replace(Balancer balancer, GatewayProcess old)
    {
        var instance = await GatewayProcess.Start("MobileBff", _surroundings, _folder);
        await Join(balancer, instance);
        await old.Terminate();
        Assert.Equal(0, await old.Exit());
        return instance;
    }

    private async Task Load(
        Balancer balancer, string user, ConcurrentDictionary<GatewayProcess, int> served, ConcurrentQueue<string> lost, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            try
            {
                var (instance, pending) = balancer.Send(() => Request("/home-feed", user));
                using var answer = await pending;
                var text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                if (answer.StatusCode != HttpStatusCode.OK)
                {
                    lost.Enqueue($"{(int)answer.StatusCode}: {text}");
                }

                served.AddOrUpdate(instance, 1, static (_, n) => n + 1);
            }
            catch (Exception broken) when (broken is HttpRequestException or InvalidOperationException or OperationCanceledException)
            {
                lost.Enqueue(broken.ToString());
            }

            await Task.Delay(10, CancellationToken.None); // A constant rate, not all that the machine can do.
        }
    }

    private HttpRequestMessage Request(string path, string user) =>
        new(HttpMethod.Get, path) { Headers = { Authorization = new("Bearer", _surroundings.Token(user)) } };
}
