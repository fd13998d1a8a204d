using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Bff.Dev.Upstreams.Faults;
using Bff.TestKit;
using Bff.Upstreams;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>
/// Tests which attempts pass the pipeline of <c>Microsoft.Extensions.Http.Resilience</c>, by the package's own metrics.
/// </summary>
public sealed class PipelineTests
{
    private const string Path = "users/u-1001";
    private const string Duration = "resilience.polly.pipeline.duration";
    private const string Events = "resilience.polly.strategy.events";
    private const string Attempts = "resilience.polly.strategy.attempt.duration";
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task A_call_to_a_healthy_service_never_enters_the_pipeline()
    {
        using var polly = new PollyMeter("calm");
        await using var bench = await Start("calm");
        for (var i = 0; i < 5; i++)
        {
            Assert.True((await bench.Client("calm").Get(Path, Any, bench.Call())).IsOk);
            Assert.Equal(UpstreamOutcome.NotFound, (await bench.Client("calm").Get("users/u-none", Any, bench.Call())).Outcome);
        }

        Assert.Empty(polly.Measured);
    }

    [Fact]
    public async Task A_retried_call_is_one_run_of_the_pipeline_that_begins_with_the_attempt_made_before_it()
    {
        using var polly = new PollyMeter("rough");
        await using var bench = await Start("rough");
        bench.Services.Users.Faults.Set(new Fault { Mode = FaultMode.Status, Count = 1 });

        Assert.True((await Ask(bench, "rough")).IsOk);

        Assert.Equal(2, bench.Services.Users.Calls.Count);
        Assert.Single(polly.Of(Duration));
        Assert.Equal([("0", "True"), ("1", "False")], polly.Of(Attempts).Select(a => (a["attempt.number"], a["attempt.handled"])));
        Assert.Equal(["OnRetry"], polly.Told);
    }

    [Fact]
    public async Task A_timeout_of_a_further_attempt_is_reported()
    {
        using var polly = new PollyMeter("silent");
        await using var bench = await Start("silent", ("Upstreams:silent:Timeout", "00:00:01"));
        bench.Services.Users.Faults.Set(FaultMode.Hang);

        var pending = bench.Client("silent").Get(Path, Any, bench.Call(within: TimeSpan.FromMinutes(1))).AsTask();
        await bench.Services.Users.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Pausing(_time, Task.WhenAny(pending, bench.Services.Users.Calls.ReachAsync(2)).WaitAsync(WaitLimit));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(UpstreamOutcome.Timeout, (await pending.WaitAsync(WaitLimit)).Outcome);
        Assert.Equal(["OnRetry", "OnTimeout"], polly.Told);
    }

    [Fact]
    public async Task Its_metrics_name_the_upstream_and_its_pool_and_nothing_of_a_request()
    {
        using var polly = new PollyMeter("stormy", "sandbox/stormy");
        await using var bench = await Start(
            "stormy",
            ("Upstreams:stormy:Breaker:MinimumThroughput", "2"),
            ("Sandbox:Upstreams:stormy:Address", "http://127.0.0.1:9")
        );
        bench.Services.Users.Faults.Set(FaultMode.Status);
        await Ask(bench, "stormy");
        Assert.Equal(UpstreamOutcome.Unavailable, (await Ask(bench, "stormy")).Outcome);
        bench.Services.Users.Faults.Heal();
        _time.Advance(TimeSpan.FromSeconds(5.1));
        Assert.True((await Ask(bench, "stormy")).IsOk);
        await Pausing(_time, bench.Client("stormy").Get(Path, Any, bench.Call(User("u-1001", sandbox: true))).AsTask());

        Assert.Equal(["OnRetry", "OnCircuitOpened", "OnCircuitHalfOpened", "OnCircuitClosed", "OnRetry"], polly.Told);
        Assert.Equal(["stormy", "sandbox/stormy"], polly.Measured.Select(m => m.Tags["pipeline.name"]).Distinct());
        Assert.Equal(["main"], polly.Measured.Select(m => m.Tags["pipeline.instance"]).Distinct());
        Assert.Subset(
            new HashSet<string?> { "retry", "breaker", "timeout", null },
            polly.Measured.Select(m => m.Tags.GetValueOrDefault("strategy.name")).ToHashSet()
        );
        Assert.Subset(
            new HashSet<string>
            {
                "event.name",
                "event.severity",
                "pipeline.name",
                "pipeline.instance",
                "strategy.name",
                "exception.type",
                "attempt.number",
                "attempt.handled",
            },
            polly.Measured.SelectMany(m => m.Tags.Keys).ToHashSet()
        );
    }

    [Fact]
    public async Task An_edit_of_one_upstream_leaves_another_s_breaker_open_and_gives_it_a_new_one()
    {
        await using var bench = await Start("torn", ("Upstreams:torn:Retries", "0"), ("Upstreams:torn:Breaker:MinimumThroughput", "2"));
        bench.Services.Users.Faults.Set(FaultMode.Status);
        for (var i = 0; i < 2; i++)
        {
            await Ask(bench, "torn");
        }

        Configure(
            bench,
            "torn",
            ("Upstreams:torn:Retries", "0"),
            ("Upstreams:torn:Breaker:MinimumThroughput", "2"),
            ("Upstreams:orders:Retries", "2")
        );
        Assert.Equal(UpstreamOutcome.Unavailable, (await Ask(bench, "torn")).Outcome);

        Configure(bench, "torn", ("Upstreams:torn:Retries", "0"), ("Upstreams:torn:Breaker:MinimumThroughput", "3"));
        Assert.Equal(UpstreamOutcome.Failed, (await Ask(bench, "torn")).Outcome);
    }

    private async Task<UpstreamBench> Start(string name, params (string Key, string Value)[] settings)
    {
        var bench = await StartAsync(_time);
        Configure(bench, name, settings);
        return bench;
    }

    /// <summary>Starts an upstream with a name that no other test uses, because the package has one meter for the process.</summary>
    private static void Configure(UpstreamBench bench, string name, params (string Key, string Value)[] settings) =>
        bench.Configure([($"Upstreams:{name}:Address", bench.Services.Users.Address.AbsoluteUri), .. settings]);

    private async Task<UpstreamAnswer<System.Text.Json.JsonElement>> Ask(UpstreamBench bench, string name) =>
        await Pausing(_time, bench.Client(name).Get(Path, Any, bench.Call()).AsTask());

    /// <summary>Records the package's measurements of some pipelines.</summary>
    private sealed class PollyMeter : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<(string Instrument, Dictionary<string, string?> Tags)> _measured = new();
        private readonly string[] _pipelines;

        public PollyMeter(params string[] pipelines)
        {
            _pipelines = pipelines;
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Polly")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Add(instrument, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument, tags));
            _listener.Start();
        }

        public IReadOnlyCollection<(string Instrument, Dictionary<string, string?> Tags)> Measured => _measured;

        public IEnumerable<Dictionary<string, string?>> Of(string instrument) =>
            _measured.Where(m => m.Instrument == instrument).Select(m => m.Tags);

        /// <summary>The events, without those that only report the start of a run.</summary>
        public IEnumerable<string?> Told => Of(Events).Select(e => e["event.name"]).Where(name => name != "PipelineExecuting");

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = tags.ToArray().ToDictionary(t => t.Key, t => t.Value?.ToString());
            if (_pipelines.Contains(all.GetValueOrDefault("pipeline.name")))
            {
                _measured.Enqueue((instrument.Name, all));
            }
        }
    }
}
