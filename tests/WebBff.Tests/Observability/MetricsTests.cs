using System.Diagnostics.Metrics;
using Bff.TestKit.Telemetry;

namespace WebBff.Tests.Observability;

/// <summary>Names, units, kinds and attributes of the metrics, as a collector receives them.</summary>
[Collection(nameof(Alone))]
public sealed class MetricsTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public async Task Every_metric_of_a_composing_host_has_its_name_unit_kind_and_attributes()
    {
        using var collector = OtlpCollector.Start();
        var host = Start(new(collector.Settings) { ["Admission:MaxConcurrency"] = "1", ["Admission:MaxQueue"] = "0" });
        await Ok(await host.Get("/api/products/p-1"));
        Upstream["catalog"].Faults.Set(FaultMode.Hang);
        using var going = new CancellationTokenSource();
        var underWay = Upstream["catalog"].Calls.ReachAsync(2).WaitAsync(WaitLimit);
        Task<HttpResponseMessage> hanging;
        do
        {
            // Refused until the previous request gives back its slot, which may happen after its answer has arrived.
            hanging = host.Get("/api/products/p-2", cancellation: going.Token);
        } while (await Task.WhenAny(underWay, hanging) == hanging);
        await underWay;
        await Problem(await host.Get("/api/products/p-1"), 503, "overloaded");
        await going.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);

        await Holds(collector, "http.server.active_requests", "{request}", "sum", ("http.request.method", "GET"));
        await Holds(
            collector,
            "http.client.request.duration",
            "s",
            "histogram",
            ("http.request.method", "POST"),
            ("http.response.status_code", "200"),
            ("server.address", "127.0.0.1")
        );
        await Holds(
            collector,
            "bff.composition.part.duration",
            "s",
            "histogram",
            ("endpoint", "product"),
            ("part", "pricing"),
            ("status", "live")
        );
        await Holds(
            collector,
            "bff.ratelimit.decisions",
            "{request}",
            "sum",
            ("decision", "admitted"),
            ("source", "store"),
            ("plan", "free")
        );
        await Holds(collector, "bff.cache.requests", "{request}", "sum", ("result", "miss"), ("scope", "public"));
        await Holds(collector, "bff.upstream.breaker.state", "{state}", "gauge", ("upstream", "catalog"), ("pool", "main"));
        await Holds(collector, "bff.admission.shed", "{request}", "sum", ("reason", "queue_full"), ("priority", "normal"));
    }

    /// <summary>
    /// An alert on failures must not fire for a part that an operator has switched off, nor be diluted by the probes of a load balancer.
    /// </summary>
    [Fact]
    public async Task A_part_that_is_switched_off_is_measured_as_disabled_and_a_probe_is_not_measured()
    {
        using var collector = OtlpCollector.Start();
        var host = Start(new(collector.Settings) { ["Composition:product:pricing:Enabled"] = "false" });
        foreach (var probe in (string[])["/health", "/health/live", "/health/ready"])
        {
            (await host.Get(probe)).Dispose();
        }

        await Ok(await host.Get("/api/products/p-1"));

        await Holds(
            collector,
            "bff.composition.part.duration",
            "s",
            "histogram",
            ("endpoint", "product"),
            ("part", "pricing"),
            ("status", "disabled")
        );
        var requests = await collector.Metric(
            "http.server.request.duration",
            m => m.Points.Any(p => p.GetValueOrDefault("http.route") == "/api/products/{id}")
        );
        Assert.DoesNotContain(
            requests.Points,
            p => p.GetValueOrDefault("http.route")?.StartsWith("/health", StringComparison.Ordinal) == true
        );
    }

    [Fact]
    public async Task The_state_of_a_breaker_is_0_when_closed_1_when_half_open_and_2_when_open()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = Start(
            new()
            {
                ["Upstreams:media:Retries"] = "0",
                ["Upstreams:media:Breaker:MinimumThroughput"] = "2",
                ["Upstreams:media:Breaker:BreakDuration"] = "00:00:05",
            },
            s => s.Replace(clock)
        );
        using var breakers = new BreakerStates(host);
        Assert.Equal((0, 0), (breakers["media main"], breakers["catalog main"]));

        Upstream.Media.Faults.Set(FaultMode.Status);
        for (var i = 0; i < 2; i++)
        {
            using var failed = await host.Get("/media/thumb/p-1.jpg");
        }

        Assert.Equal((2, 0), (breakers["media main"], breakers["catalog main"]));

        Upstream.Media.Faults.Heal();
        clock.Advance(TimeSpan.FromSeconds(5.1));
        var held = Upstream.Media.Faults.Hold();
        var trial = host.Get("/media/thumb/p-1.jpg");
        await Upstream.Media.Calls.ReachAsync(3).WaitAsync(WaitLimit);
        Assert.Equal(1, breakers["media main"]);

        held.Dispose();
        Assert.Equal(HttpStatusCode.OK, (await trial).StatusCode);
        Assert.Equal(0, breakers["media main"]);
    }

    /// <summary>Uses a listener because the services of these tests share the process and the name of the framework's meter.</summary>
    [Fact]
    public async Task The_framework_measures_requests_by_route_and_status()
    {
        var host = Start();
        var measured = new TaskCompletionSource<(string? Unit, Dictionary<string, object?> Tags)>(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        using var listener = host.Services.Listen("http.server.request.duration");
        listener.SetMeasurementEventCallback<double>(
            (instrument, _, tags, _) =>
            {
                var all = tags.ToArray().ToDictionary();
                if (all.GetValueOrDefault("http.route") is "/api/products/{id}")
                {
                    measured.TrySetResult((instrument.Unit, all));
                }
            }
        );
        listener.Start();

        await Ok(await host.Get("/api/products/p-1"));

        var (unit, seen) = await measured.Task.WaitAsync(WaitLimit);
        Assert.Equal("s", unit);
        Assert.Equal(("GET", 200, "http"), (seen["http.request.method"], seen["http.response.status_code"], seen["url.scheme"]));
    }

    private static async Task Holds(
        OtlpCollector collector,
        string name,
        string unit,
        string kind,
        params (string Key, string Value)[] attributes
    )
    {
        var metric = await collector.Metric(name, m => m.Points.Any(p => attributes.All(a => p.GetValueOrDefault(a.Key) == a.Value)));

        Assert.Equal((unit, kind), (metric.Unit, metric.Kind));
        Assert.DoesNotContain(metric.Points, p => p.Values.Any(v => v.Contains("u-1001", StringComparison.Ordinal)));
        if (name.StartsWith("bff.", StringComparison.Ordinal))
        {
            Assert.All(metric.Points, p => Assert.Equal(attributes.Select(a => a.Key).Order(), p.Keys.Where(k => k != "tenant").Order()));
        }
    }

    /// <summary>The current values of <c>bff.upstream.breaker.state</c> for the upstreams of one host.</summary>
    private sealed class BreakerStates : IDisposable
    {
        private readonly Dictionary<string, int> _states = [];
        private readonly MeterListener _listener;

        public BreakerStates(WebHost host)
        {
            _listener = host.Services.Listen("bff.upstream.breaker.state");
            _listener.SetMeasurementEventCallback<int>((_, state, tags, _) => _states[$"{tags[0].Value} {tags[1].Value}"] = state);
            _listener.Start();
        }

        public int this[string pool]
        {
            get
            {
                _listener.RecordObservableInstruments();
                return _states[pool];
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
