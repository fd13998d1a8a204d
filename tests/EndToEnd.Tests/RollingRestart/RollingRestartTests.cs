using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Bff.Callers.ApiKeys;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.RollingRestart;

/// <summary>Uses real processes and a real SIGTERM.</summary>
public sealed class RollingRestartTests : IAsyncLifetime
{
    private static readonly string Key = ApiKeyFormat.New(isTest: false);
    private readonly List<string> _folders = [];
    private Surroundings _surroundings = null!;

    [Theory]
    [InlineData("MobileBff")]
    [InlineData("WebBff")]
    [InlineData("PartnerBff")]
    public async Task A_rolling_restart_under_load_loses_no_request(string gateway)
    {
        await using var balancer = new Balancer();
        await using var first = await Start(gateway);
        await using var second = await Start(gateway);
        await Join(balancer, first);
        await Join(balancer, second);
        using var stream = gateway == "WebBff" ? await OpenEvents(first) : null;

        var lost = new ConcurrentQueue<string>();
        var served = new ConcurrentDictionary<GatewayProcess, int>();
        using var enough = new CancellationTokenSource();
        var load = Enumerable.Range(0, 4).Select(i => Load(balancer, gateway, i, served, lost, enough.Token)).ToList();

        await using var third = await Replace(balancer, gateway, first);
        await using var fourth = await Replace(balancer, gateway, second);
        await Eventually.True(
            () => served.GetValueOrDefault(third) > 20 && served.GetValueOrDefault(fourth) > 20,
            GatewayProcess.WaitLimit
        );
        await enough.CancelAsync();
        var placed = await Task.WhenAll(load);

        Assert.True(lost.IsEmpty, string.Join(Environment.NewLine, lost));
        Assert.Equal(4, served.Count);
        Assert.True(placed.Sum() > 0);
        // Each order reached the service once.
        Assert.Equal(placed.Sum(), _surroundings.Services.Orders.Calls.All.Count(c => c is { Method: "POST", Path: "/orders" }));
        if (stream is not null)
        {
            using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
            // The stream ended in an orderly way.
            Assert.Matches("retry: [0-9]+\n: going away\n\n$", await reader.ReadToEndAsync().WaitAsync(GatewayProcess.WaitLimit));
        }
    }

    [Fact]
    public async Task On_a_signal_to_end_requests_in_flight_are_answered_first()
    {
        await using var gateway = await Start("MobileBff", ("Shutdown:Delay", "00:00:01"));
        using var held = _surroundings.Services.Users.Faults.Hold();
        var inFlight = Enumerable.Range(0, 5).Select(i => gateway.Client.SendAsync(Request("/me", $"u-{1001 + i}"))).ToList();
        await _surroundings.Services.Users.Calls.ReachAsync(5).WaitAsync(GatewayProcess.WaitLimit);

        await gateway.Terminate();
        await Eventually.True(async () => !await gateway.IsReady(), GatewayProcess.WaitLimit);
        await Eventually.True(() => Refuses(gateway), GatewayProcess.WaitLimit); // The gateway no longer listens, and still waits.
        Assert.False(gateway.HasExited);
        held.Dispose();

        foreach (var response in await Task.WhenAll(inFlight))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(0, await gateway.Exit());
    }

    [Fact]
    public async Task A_signal_to_end_does_not_cut_off_an_answer_in_lines()
    {
        await using var gateway = await Start(
            "MobileBff",
            ("Shutdown:Delay", "00:00:00"),
            ("Composition:Deadline", "00:01:00"),
            ("Composition:home-feed:orders:Timeout", "00:00:30")
        );
        using var held = _surroundings.Services.Orders.Faults.Hold();
        using var answer = await AnswerInLines.Ask(gateway.Client, Request("/home-feed", "u-1001"));
        Assert.True(await answer.Next());

        await gateway.Terminate();
        await Eventually.True(() => Refuses(gateway), GatewayProcess.WaitLimit);
        Assert.Contains("orders", answer.Pending);
        held.Dispose();

        Assert.Equal(5, (await answer.All())["orders"]!.AsArray().Count);
        Assert.Empty(answer.Pending);
        Assert.Equal(0, await gateway.Exit());
    }

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync()
    {
        await _surroundings.DisposeAsync();
        _folders.ForEach(f => Directory.Delete(f, recursive: true));
    }

    private static async Task<bool> Refuses(GatewayProcess gateway)
    {
        using var client = gateway.NewClient();
        try
        {
            using var answer = await client.GetAsync("/health/live");
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
        await Eventually.True(() => balancer.IsSentTo(instance), GatewayProcess.WaitLimit);
    }

    private Task<GatewayProcess> Start(string gateway, params (string Key, string Value)[] settings)
    {
        _folders.Add(GatewayProcess.NewFolder(gateway));
        return GatewayProcess.Start(
            gateway,
            _surroundings,
            _folders[^1],
            [
                ("ApiKeys:Bootstrap:acme", Key),
                ("Tenants:acme:Plan", "enterprise"),
                ("Composition:dashboard:user:Timeout", "00:00:30"),
                ("Composition:orders:orders:Timeout", "00:00:30"),
                ("Shutdown:Delay", "00:00:06"), // Longer than a stalled balancer needs to notice.
                .. settings,
            ]
        );
    }

    private async Task<HttpResponseMessage> OpenEvents(GatewayProcess gateway)
    {
        var answer = await gateway.Client.SendAsync(Request("/api/events", "u-1001"), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        return answer;
    }

    private async Task<GatewayProcess> Replace(Balancer balancer, string gateway, GatewayProcess old)
    {
        var instance = await Start(gateway);
        await Join(balancer, instance);
        await old.Terminate();
        Assert.Equal(0, await old.Exit());
        return instance;
    }

    /// <returns>The number of orders placed.</returns>
    private async Task<int> Load(
        Balancer balancer,
        string gateway,
        int caller,
        ConcurrentDictionary<GatewayProcess, int> served,
        ConcurrentQueue<string> lost,
        CancellationToken enough
    )
    {
        var placed = 0;
        for (var n = 0; !enough.IsCancellationRequested; n++)
        {
            var isWrite = n % 10 == 0;
            try
            {
                var (instance, pending) = balancer.Send(() => isWrite ? Write(gateway, caller, n) : Read(gateway, caller));
                using var answer = await pending;
                var text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                placed += answer.StatusCode == HttpStatusCode.Created ? 1 : 0;
                if (answer.StatusCode != (isWrite ? HttpStatusCode.Created : HttpStatusCode.OK))
                {
                    lost.Enqueue($"{(int)answer.StatusCode}: {text}");
                }

                served.AddOrUpdate(instance, 1, static (_, n) => n + 1);
            }
            catch (Exception broken) when (broken is HttpRequestException or InvalidOperationException or OperationCanceledException)
            {
                lost.Enqueue(broken.ToString());
            }

            // A constant rate, not the maximum of the machine, and no more calls than the services remember.
            await Task.Delay(50, CancellationToken.None);
        }

        return placed;
    }

    private HttpRequestMessage Read(string gateway, int caller) =>
        gateway switch
        {
            "PartnerBff" => new(HttpMethod.Get, "/v1/orders") { Headers = { Authorization = new("Bearer", Key) } },
            "WebBff" => Request("/api/dashboard", $"u-{1001 + caller}"),
            _ => Request("/home-feed", $"u-{1001 + caller}"),
        };

    private HttpRequestMessage Write(string gateway, int caller, int n)
    {
        var request = gateway switch
        {
            "PartnerBff" => new(HttpMethod.Post, "/v1/orders") { Headers = { Authorization = new("Bearer", Key) } },
            "WebBff" => Request("/api/orders", $"u-{1001 + caller}"),
            _ => Request("/orders", $"u-{1001 + caller}"),
        };
        request.Method = HttpMethod.Post;
        request.Headers.Add("Idempotency-Key", $"{caller}-{n}");
        var product = gateway == "PartnerBff" ? "product_id" : "productId";
        request.Content = new StringContent(
            $$"""{"currency":"EUR","items":[{"{{product}}":"p-1","quantity":1}]}""",
            Encoding.UTF8,
            "application/json"
        );
        return request;
    }

    private HttpRequestMessage Request(string path, string user) =>
        new(HttpMethod.Get, path) { Headers = { Authorization = new("Bearer", _surroundings.Token(user)) } };
}
