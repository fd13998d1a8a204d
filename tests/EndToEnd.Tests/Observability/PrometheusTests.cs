using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Callers.ApiKeys;
using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;
using Bff.TestKit.Telemetry;

namespace Bff.EndToEnd.Tests.Observability;

/// <summary>
/// Feeds Prometheus from the three gateways and checks that panels and rules query what running gateways export. Architecture.Tests plays
/// each alert at its full length.
/// </summary>
public sealed class PrometheusTests : IAsyncLifetime
{
    private static readonly string Key = ApiKeyFormat.New(isTest: false);

    /// <summary>Metrics of panels about faults that this outage does not cause.</summary>
    private static readonly string[] UnaffectedMetrics =
    [
        "bff_admission_shed",
        "bff_background_failures",
        "bff_state_refusals",
        "bff_tokens_requests",
        "bff_webhooks_attempts",
        "bff_events_lag",
        "bff_agents_call_duration",
        "bff_shadow_",
        "decision=\"refused\"",
        "rpc_grpc_status_code!=\"\"",
    ];

    private readonly string _folder = GatewayProcess.NewFolder("MobileBff");
    private readonly List<Task> _load = [];
    private readonly List<GatewayProcess> _started = [];
    private volatile bool _isEnough;
    private Surroundings _surroundings = null!;

    private string Settings => Path.Combine(_folder, "appsettings.json");

    [InstalledFact("prometheus", "redis-server")]
    public async Task Panels_show_what_gateways_export_and_alerts_fire_in_an_outage_and_stop_after_it()
    {
        using var collector = OtlpCollector.Start(TimeSpan.FromSeconds(2)); // One second stands for a minute, as in the rules.
        using var redis = RedisServer.Run();
        using var prometheus = new PrometheusServer(collector.Endpoint);
        var starting = ((string[])["MobileBff", "WebBff", "PartnerBff"]).Select(g => Start(g, collector, redis)).ToList();
        var (mobile, web, partner) = (await starting[0], await starting[1], await starting[2]);
        Load(mobile, "/home-feed", _surroundings.Token());
        Load(mobile, "/me", "nonsense");
        Load(web, "/api/dashboard", _surroundings.Token());
        Load(partner, "/v1/orders", Key);
        var empty = Panels().ToHashSet();

        // A service fails, and an edit is faulty.
        _surroundings.Services.Orders.Faults.Set(FaultMode.Status);
        var settings = await File.ReadAllTextAsync(Settings);
        var edit = JsonNode.Parse(settings)!;
        edit["Composition"] = new JsonObject { ["home-feed"] = new JsonObject { ["orders"] = new JsonObject { ["Stale"] = "never" } } };
        await File.WriteAllTextAsync(Settings, edit.ToJsonString());
        string[] first =
        [
            "PartFailing MobileBff",
            "BreakerOpen MobileBff",
            "SettingsRefused MobileBff",
            "GatewayErrors PartnerBff",
            "UpstreamErrors PartnerBff",
        ];
        await Fire(prometheus, first, empty);

        // Redis and a gateway are gone.
        redis.Stop();
        await web.Kill();
        string[] second = ["LimitsWithoutRedis MobileBff", "LimitsWithoutRedis PartnerBff", "GatewaySilent WebBff"];
        await Fire(prometheus, second, empty);
        Assert.Empty(empty.Where(e => !UnaffectedMetrics.Any(q => e.Contains(q, StringComparison.Ordinal))).ToList());

        // Everything works again.
        await File.WriteAllTextAsync(Settings, settings);
        _surroundings.Services.Orders.Faults.Heal();
        redis.Start();
        await Start("WebBff", collector, redis);
        await Eventually.True(async () => !(await prometheus.Firing()).Overlaps([.. first, .. second]), GatewayProcess.WaitLimit);
    }

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync()
    {
        _isEnough = true;
        await Task.WhenAll(_load);
        foreach (var gateway in _started)
        {
            await gateway.DisposeAsync();
        }

        await _surroundings.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Waits until all alerts have fired; meanwhile panels fill.</summary>
    private static async Task Fire(PrometheusServer prometheus, string[] alerts, HashSet<string> empty)
    {
        var missing = alerts.ToHashSet();
        try
        {
            await Eventually.True(
                async () =>
                {
                    missing.ExceptWith(await prometheus.Firing());
                    foreach (var panel in empty.ToList())
                    {
                        if (await prometheus.Series(panel) > 0)
                        {
                            empty.Remove(panel);
                        }
                    }

                    return missing.Count == 0;
                },
                GatewayProcess.WaitLimit
            );
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Not fired: {string.Join(", ", missing)}");
        }
    }

    private async Task<GatewayProcess> Start(string gateway, OtlpCollector collector, RedisServer redis)
    {
        var started = await GatewayProcess.Start(
            gateway,
            _surroundings,
            gateway == "MobileBff" ? _folder : GatewayProcess.NewFolder(gateway),
            [
                .. collector.Settings.Select(s => (s.Key, s.Value!)),
                ("ConnectionStrings:redis", redis.ConnectionString),
                ("OTEL_SERVICE_NAME", gateway),
                // Calls must keep failing in PartnerBff, so its circuit breaker opens for as long as a window of the rules lasts here.
                .. gateway == "PartnerBff"
                    ?
                    [
                        ("ApiKeys:Bootstrap:acme", Key),
                        ("Tenants:acme:Plan", "enterprise"),
                        ("Upstreams:orders:Breaker:MinimumThroughput", "100000"),
                    ]
                    : Array.Empty<(string, string)>(),
            ]
        );
        lock (_started)
        {
            _started.Add(started);
        }

        return started;
    }

    private void Load(GatewayProcess gateway, string path, string credential) =>
        _load.Add(
            Task.Run(async () =>
            {
                while (!_isEnough)
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, path)
                    {
                        Headers = { Authorization = new("Bearer", credential) },
                    };
                    try
                    {
                        using var answer = await gateway.Client.SendAsync(request);
                    }
                    catch (Exception gone) when (gone is HttpRequestException or OperationCanceledException)
                    {
                        return; // The gateway was killed.
                    }

                    await Task.Delay(100); // A rate, not the maximum of the machine.
                }
            })
        );

    private static IEnumerable<string> Panels()
    {
        foreach (var file in Directory.EnumerateFiles(Checkout.At("deploy", "grafana", "dashboards"), "*.json"))
        {
            using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
            foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
            {
                foreach (var target in panel.TryGetProperty("targets", out var targets) ? targets.EnumerateArray() : default)
                {
                    yield return target.GetProperty("expr").GetString()!;
                }
            }
        }
    }
}
