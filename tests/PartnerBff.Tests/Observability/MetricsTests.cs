using Bff.TestKit.Telemetry;
using PartnerBff.Tests.Webhooks;

namespace PartnerBff.Tests.Observability;

/// <summary>What is measured of events and webhooks, as a collector receives it.</summary>
[Collection(nameof(Alone))]
public sealed class MetricsTests(SharedSurroundings surroundings) : WebhookTest(surroundings)
{
    [Fact]
    public async Task Webhook_attempts_and_the_lag_of_events_have_their_names_units_and_attributes()
    {
        await using var receiver = await Receiver.Start();
        using var collector = OtlpCollector.Start();
        var host = StartForWebhooks(collector.Settings);
        await Create(host, receiver.Url);
        await Publish(host, "acme");

        var attempts = await collector.Metric("bff.webhooks.attempts", m => m.Points.Any(p => p.GetValueOrDefault("outcome") == "success"));
        Assert.Equal(("{attempt}", "sum", "Bff"), (attempts.Unit, attempts.Kind, attempts.Meter));
        Assert.All(attempts.Points, p => Assert.Equal(["outcome"], p.Keys));

        var lag = await collector.Metric("bff.events.lag", m => m.Points.Any(p => p.GetValueOrDefault("reader") == "webhooks"));
        Assert.Equal(("s", "histogram", "Bff"), (lag.Unit, lag.Kind, lag.Meter));
        Assert.All(lag.Points, p => Assert.Equal(["reader"], p.Keys));
    }
}
