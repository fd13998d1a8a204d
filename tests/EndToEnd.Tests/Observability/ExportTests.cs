using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Bff.TestKit;
using Bff.TestKit.Telemetry;

namespace Bff.EndToEnd.Tests.Observability;

/// <summary>Tests what a single gateway exports, and what it costs callers when no collector accepts it.</summary>
public sealed class ExportTests
{
    [Fact]
    public async Task A_gateway_that_starts_alone_exports_its_metrics_once_it_is_warm()
    {
        await using var surroundings = await Surroundings.StartAsync();
        using var collector = OtlpCollector.Start();
        await using var gateway = await GatewayProcess.Start(
            "MobileBff",
            surroundings,
            GatewayProcess.NewFolder("MobileBff"),
            [.. collector.Settings.Select(s => (s.Key, s.Value!))]
        );
        await Ask(gateway, surroundings);
        collector.Forget(); // The gateway is warm, so what the warm-up exported is gone.
        await Ask(gateway, surroundings);

        var duration = await collector.Metric(
            "http.server.request.duration",
            m => m.Points.Any(p => p.GetValueOrDefault("http.route") == "/me")
        );
        Assert.Equal(("s", "histogram", "Microsoft.AspNetCore.Hosting"), (duration.Unit, duration.Kind, duration.Meter));
        Assert.Contains((await collector.Metric("bff.upstream.breaker.state")).Points, p => p.GetValueOrDefault("upstream") == "users");
        Assert.DoesNotContain(collector.Spans, s => s.Name.Contains("HttpRequestIn", StringComparison.Ordinal));
        Assert.Contains(
            duration.Points,
            p => (p.GetValueOrDefault("http.request.method"), p.GetValueOrDefault("http.response.status_code")) == ("GET", "200")
        );
    }

    [Fact]
    public async Task The_log_of_a_gateway_is_exported_beside_its_traces_and_metrics()
    {
        await using var surroundings = await Surroundings.StartAsync();
        using var collector = OtlpCollector.Start();
        await using var gateway = await GatewayProcess.Start(
            "MobileBff",
            surroundings,
            GatewayProcess.NewFolder("MobileBff"),
            [.. collector.Settings.Select(s => (s.Key, s.Value!))]
        );

        var started = await collector.Log(l => l.Text.StartsWith("Now listening on", StringComparison.Ordinal));

        Assert.Equal(("Microsoft.Hosting.Lifetime", "Information"), (started.Category, started.Severity));
    }

    /// <summary>One export takes longer than all requests may, and the queue holds fewer spans than the requests create.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_request_waits_for_a_collector_that_hangs_or_is_away(bool hangs)
    {
        // The socket keeps the port for this test, although nothing listens on it.
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var endpoint = $"http://{silent.LocalEndPoint}";
        if (hangs)
        {
            silent.Listen();
        }

        await using var surroundings = await Surroundings.StartAsync();
        await using var gateway = await GatewayProcess.Start(
            "MobileBff",
            surroundings,
            GatewayProcess.NewFolder("MobileBff"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000"),
            ("OTEL_BSP_SCHEDULE_DELAY", "10"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "16"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "50")
        );
        using var timeLimit = new CancellationTokenSource(GatewayProcess.WaitLimit);
        for (var i = 0; i < 100; i++)
        {
            await Ask(gateway, surroundings, timeLimit.Token);
        }
    }

    private static async Task Ask(GatewayProcess gateway, Surroundings surroundings, CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/me");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", surroundings.Token());
        using var answer = await gateway.Client.SendAsync(request, cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
