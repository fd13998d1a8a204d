using System.Diagnostics.Metrics;
using Bff.TestKit.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace WebBff.Tests.Observability;

/// <summary>Names, units, kinds and attributes of what is measured, as a collector receives it.</summary>
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
        var underWay = Upstream["catalog"].Calls.ReachAsync(2).WaitAsync(Patience);
        Task<HttpResponseMessage> hanging;
        do
        {
            hanging = host.Get("/api/products/p-2", cancellation: going.Token); // Refused until the slot of the request before, whose answer is here already, is given back.
        }
        while (await Task.WhenAny(underWay, hanging) == hanging);
        await underWay;
        await Problem(await host.Get("/api/products/p-1"), 503, "overloaded");
        await going.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);

        await Holds(collector, "http.server.active_requests", "{request}", "sum", ("http.request.method", "GET"));
        await Holds(collector, "http.client.request.duration", "s", "histogram",
            ("http.request.method", "POST"), ("http.response.status_code", "200"), ("server.address", "127.0.0.1"));
        await Holds(collector, "bff.composition.part.duration", "s", "histogram", ("endpoint", "product"), ("part", "pricing"), ("status", "live"));
        await Holds(collector, "bff.ratelimit.decisions", "{request}", "sum", ("decision", "admitted"), ("source", "store"), ("plan", "free"));
        await Holds(collector, "bff.cache.requests", "{request}", "sum", ("result", "miss"), ("scope", "public"));
        await Holds(collector, "bff.upstream.breaker.state", "{state}", "gauge", ("upstream", "catalog"), ("pool", "main"));
        await Holds(collector, "bff.admission.shed", "{request}", "sum", ("reason", "queue_full"), ("priority", "normal"));
    }

    [Fact]
    public async Task The_state_of_a_breaker_is_two_once_it_is_open()
    {
        var host = Start(new() { ["Upstreams:reviews:Breaker:MinimumThroughput"] = "2", ["Upstreams:reviews:Breaker:BreakDuration"] = "00:01:00" });
        Upstream["reviews"].Faults.Set(FaultMode.Status);
        var states = new Dictionary<string, int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Name == "bff.upstream.breaker.state")
            {
                all.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((_, state, tags, _) => states[$"{tags[0].Value} {tags[1].Value}"] = state);
        listener.Start();

        await Bff.TestKit.Eventually.True(
            async () =>
            {
                await Ok(await host.Get("/api/products/p-1?include=reviews"));
                listener.RecordObservableInstruments();
                return states["reviews main"] == 2;
            },
            Patience);
        Assert.Equal(0, states["catalog main"]);
    }

    /// <summary>By a listener: the services of these tests share the process and the name of the framework's meter.</summary>
    [Fact]
    public async Task The_framework_measures_requests_by_route_and_status()
    {
        var host = Start();
        var meters = host.Services.GetRequiredService<IMeterFactory>();
        var measured = new TaskCompletionSource<(string? Unit, Dictionary<string, object?> Tags)>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Name == "http.server.request.duration" && ReferenceEquals(instrument.Meter.Scope, meters))
            {
                all.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary();
            if (all.GetValueOrDefault("http.route") is "/api/products/{id}")
            {
                measured.TrySetResult((instrument.Unit, all));
            }
        });
        listener.Start();

        await Ok(await host.Get("/api/products/p-1"));

        var (unit, seen) = await measured.Task.WaitAsync(Patience);
        Assert.Equal("s", unit);
        Assert.Equal(("GET", 200, "http"), (seen["http.request.method"], seen["http.response.status_code"], seen["url.scheme"]));
    }

    private static async Task Holds(OtlpCollector collector, string name, string unit, string kind, params (string Key, string Value)[] attributes)
    {
        var metric = await collector.Metric(name, m => m.Points.Any(p => attributes.All(a => p.GetValueOrDefault(a.Key) == a.Value)));

        Assert.Equal((unit, kind), (metric.Unit, metric.Kind));
        Assert.DoesNotContain(metric.Points, p => p.Values.Any(v => v.Contains("u-1001", StringComparison.Ordinal)));
        if (name.StartsWith("bff.", StringComparison.Ordinal))
        {
            Assert.All(metric.Points, p => Assert.Equal(attributes.Select(a => a.Key).Order(), p.Keys.Where(k => k != "tenant").Order()));
        }
    }
}
