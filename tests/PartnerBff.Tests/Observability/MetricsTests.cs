using Bff.TestKit.Telemetry;
using PartnerBff.Tests.Webhooks;

namespace PartnerBff.Tests.Observability;

/// <summary>Metrics of events and webhooks, as a collector receives them.</summary>
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

    [Fact]
    public async Task Each_use_of_a_version_is_counted_for_its_partner_and_a_refusal_names_the_tenant()
    {
        using var collector = OtlpCollector.Start();
        var host = Start(
            new(collector.Settings)
            {
                ["Plans:small:RequestsPerMinute"] = "1",
                ["Plans:small:Burst"] = "1",
                ["Tenants:globex:Plan"] = "small",
            }
        );
        await Json(await Get(host, "/v1/account", AcmeKey));
        await Json(await Get(host, "/v2/account", GlobexKey));
        await Problem(await Get(host, "/v2/account", GlobexKey), 429, "rate_limit_exceeded");

        var uses = await collector.Metric("bff.partner.version.requests", m => m.Points.Count == 2);
        Assert.Equal(("{request}", "sum", "Bff.Partner"), (uses.Unit, uses.Kind, uses.Meter));
        Assert.Equal(["v1 acme", "v2 globex"], uses.Points.Select(p => $"{p["version"]} {p["tenant"]}").Order());

        var decisions = await collector.Metric("bff.ratelimit.decisions", m => m.Points.Any(p => p["decision"] == "refused"));
        Assert.Equal(["decision", "plan", "source", "tenant"], decisions.Points.Single(p => p["decision"] == "refused").Keys.Order());
        Assert.Equal(
            ("globex", "small"),
            decisions.Points.Where(p => p["decision"] == "refused").Select(p => (p["tenant"], p["plan"])).Single()
        );
        Assert.All(
            decisions.Points.Where(p => p["decision"] == "admitted"),
            p => Assert.Equal(["decision", "plan", "source"], p.Keys.Order())
        );
    }
}
