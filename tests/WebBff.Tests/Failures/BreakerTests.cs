namespace WebBff.Tests.Failures;

/// <summary>The circuit breaker works the same for typed clients, gRPC, GraphQL and YARP's routes.</summary>
public sealed class BreakerTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const int Threshold = 10;
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("/api/orders", "orders", "orders", 500)]
    [InlineData("/api/products/p-1", "catalog", "product", 14)]
    [InlineData("/media/thumb/p-1.jpg", "media", null, 500)]
    public async Task An_open_breaker_fails_calls_at_once_and_probes_the_service_after_the_break(
        string path,
        string upstream,
        string? section,
        int status
    )
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = StartClocked(clock, upstream);
        Upstream[upstream].Faults.Set(new Fault { Mode = FaultMode.Status, Status = status });
        for (var i = 0; i < Threshold; i++)
        {
            using var failed = await host.Get(path);
            await Problem(failed, 502, "upstream_failed");
        }

        // If the gateway called the service now, it would get no answer.
        Upstream[upstream].Faults.Set(new Fault { Mode = FaultMode.Hang });
        for (var i = 0; i < 3; i++)
        {
            using var refused = await host.Get(path).WaitAsync(WaitLimit);
            var problem = await Problem(refused, 503, "upstream_unavailable");
            Assert.Equal(section, (string?)problem["section"]);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), Break);
        }

        Assert.Equal(Threshold, Upstream[upstream].Calls.Count);

        Upstream[upstream].Faults.Heal();
        clock.Advance(Break + TimeSpan.FromMilliseconds(100));
        for (var i = 0; i < 3; i++)
        {
            using var healed = await host.Get(path);
            Assert.Equal(HttpStatusCode.OK, healed.StatusCode);
        }

        Assert.Equal(Threshold + 3, Upstream[upstream].Calls.Count);
    }

    [Fact]
    public async Task An_open_breaker_spares_a_graphql_service_and_probes_it_after_the_break()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = StartClocked(clock, "pricing");
        Upstream.Pricing.Faults.Set(FaultMode.Status);
        for (var i = 0; i < Threshold; i++)
        {
            Assert.Equal("failed", await Pricing(host));
        }

        Upstream.Pricing.Faults.Set(FaultMode.Hang);
        Assert.Equal("unavailable", await Pricing(host).WaitAsync(WaitLimit));
        Assert.Equal(Threshold, Upstream.Pricing.Calls.Count);

        Upstream.Pricing.Faults.Heal();
        clock.Advance(Break + TimeSpan.FromMilliseconds(100));
        Assert.Equal("live", await Pricing(host));
        Assert.Equal("live", await Pricing(host));
    }

    private WebHost StartClocked(ManualTimeProvider clock, string upstream)
    {
        var settings = new Dictionary<string, string?>
        {
            [$"Upstreams:{upstream}:Retries"] = "0",
            [$"Upstreams:{upstream}:Breaker:MinimumThroughput"] = Threshold.ToString(System.Globalization.CultureInfo.InvariantCulture),
            [$"Upstreams:{upstream}:Breaker:BreakDuration"] = Break.ToString("c"),
        };
        foreach (var part in Parts)
        {
            settings[$"Composition:{part}:Fresh"] = settings[$"Composition:{part}:Stale"] = "00:00:00";
        }

        return Start(settings, s => s.Replace(clock));
    }

    private static async Task<string?> Pricing(WebHost host)
    {
        using var answer = await host.Get("/api/products?limit=1");
        return (string?)(await Ok(answer))["_meta"]!["sections"]!["pricing"]!["status"];
    }
}
