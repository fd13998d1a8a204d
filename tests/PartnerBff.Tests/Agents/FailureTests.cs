using System.Text;
using Bff.Events;
using Bff.TestKit.Failures;
using Bff.TestKit.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace PartnerBff.Tests.Agents;

/// <summary>A service, the store, the client or the credential goes away during a call.</summary>
public sealed class FailureTests(SharedSurroundings surroundings) : AgentTest(surroundings)
{
    [Fact]
    public async Task A_failing_service_affects_a_call_as_it_affects_the_operation()
    {
        var host = Start(new() { ["Upstreams:orders:Retries"] = "0", ["Upstreams:orders:Breaker:MinimumThroughput"] = "1000" });
        await using var client = await Connect(host, AcmeKey);
        foreach (
            var (mode, status, code) in ((FaultMode, int, string)[])
                [(FaultMode.Status, 502, "upstream_failed"), (FaultMode.Reset, 502, "upstream_failed")]
        )
        {
            Upstream.Orders.Faults.Set(mode);
            Refused(host, await Call(client, "orders"), status, code);
            var write = await Call(client, "place-order", Arguments("k-" + mode));
            Refused(host, write, status, code);
        }

        Upstream.Orders.Faults.Heal();
        var before = Placed(Upstream);
        Ok(await Call(client, "place-order", Arguments("k-" + FaultMode.Reset)));
        Assert.Equal(before + 1, Placed(Upstream));
    }

    [Fact]
    public async Task A_call_takes_no_longer_than_its_operation()
    {
        var host = Start(new() { ["Composition:order:order:Timeout"] = "00:00:00.200", ["Upstreams:orders:Retries"] = "0" });
        using var held = Upstream.Orders.Faults.Hold();
        await using var client = await Connect(host, AcmeKey);

        Refused(host, await Call(client, "order", new { id = "o-1" }), 504, "upstream_timeout");
    }

    [RedisFact]
    public async Task Without_the_store_writes_wait_and_nothing_is_sent_unguarded()
    {
        var redis = StartRedis();
        var host = Start(
            new()
            {
                ["State:Timeout"] = "00:00:00.250",
                ["Plans:enterprise:OnStoreFailure"] = "Local",
                ["Plans:pro:OnStoreFailure"] = "Reject",
            },
            redis
        );
        await Connected(host);
        await using var client = await Connect(host, AcmeKey);
        await using var strict = await Connect(host, GlobexKey);
        Ok(await Call(client, "product", new { id = "p-1" }));
        Ok(await Call(strict, "product", new { id = "p-1" }));
        redis.Stop();

        Ok(await Call(client, "product", new { id = "p-1" }));
        Refused(host, await Call(client, "place-order", Arguments("k")), 503, "store_unavailable");
        Refused(host, await Call(strict, "product", new { id = "p-1" }), 503, "store_unavailable");
        await Problem(await Post(host, GlobexKey, Message("tools/list")), 503, "store_unavailable");
        Assert.Equal(0, Placed(Upstream));
    }

    [Fact]
    public async Task A_client_that_disconnects_cancels_its_call()
    {
        // The clock stands still, so no timeout ends the call.
        var host = Start(services: services => services.AddSingleton<TimeProvider>(new ManualTimeProvider(DateTimeOffset.UtcNow)));
        await Result(await Post(host, AcmeKey, Message("tools/list")));
        using var held = Upstream.Products.Faults.Hold();
        using var gone = new CancellationTokenSource();
        var call = Post(host, AcmeKey, CallMessage("product", new { id = "p-7" }), cancellation: gone.Token);
        var asked = await Upstream.Products.Calls.FirstAsync(c => c.Path == "/products/p-7").WaitAsync(WaitLimit);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.True(await asked.Ended.WaitAsync(WaitLimit)); // The gateway, too, has closed its call to the service.
        await Result(await Post(host, AcmeKey, Message("tools/list")));
        Assert.Empty(FailureMatrix.ErrorsIn(host.Log));
    }

    [Fact]
    public async Task A_call_that_the_official_client_cancels_ends_at_the_service()
    {
        var host = Start(services: services => services.AddSingleton<TimeProvider>(new ManualTimeProvider(DateTimeOffset.UtcNow)));
        await using var client = await Connect(host, AcmeKey);
        using var held = Upstream.Products.Faults.Hold();
        using var cancelled = new CancellationTokenSource();
        var call = Call(client, "product", new { id = "p-8" }, cancelled.Token);
        var asked = await Upstream.Products.Calls.FirstAsync(c => c.Path == "/products/p-8").WaitAsync(WaitLimit);

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.True(await asked.Ended.WaitAsync(WaitLimit));
        held.Dispose();
        Ok(await Call(client, "product", new { id = "p-8" }));
    }

    [Fact]
    public async Task Deleting_a_key_ends_the_calls_of_its_agents()
    {
        var host = Start();
        var made = await MakeKey(host, AcmeKey, "live", "products.read");
        var key = (string)made["key"]!;
        Assert.Null(await CodeOf(Post(host, key, CallMessage("product", new { id = "p-1" }))));
        using var held = Upstream.Products.Faults.Hold();
        var running = Post(host, key, CallMessage("product", new { id = "p-9" }));
        await Upstream.Products.Calls.FirstAsync(c => c.Path == "/products/p-9").WaitAsync(WaitLimit);

        using var deleted = await Send(host, HttpMethod.Delete, "/v1/api-keys/" + made["id"], AcmeKey);

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () => await Result(await running));
        await Problem(await Post(host, key, CallMessage("product", new { id = "p-1" })), 401, "invalid_api_key");
    }

    [Fact]
    public async Task An_answer_that_is_too_large_is_refused()
    {
        var host = Start();
        var large = Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', 60 * 1024)}}"}""");
        await host
            .Services.GetRequiredService<IEventLog>()
            .Append(
                [
                    .. Enumerable
                        .Range(0, 100)
                        .Select(i => new NewEvent(
                            new EventHead
                            {
                                Source = "/tests",
                                SourceId = $"{i}",
                                Type = "order.placed",
                                Tenant = "acme",
                            },
                            large
                        )),
                ],
                default
            );
        await using var client = await Connect(host, AcmeKey);

        var problem = Refused(host, await Call(client, "events", new { limit = 100 }), 502, "upstream_failed");
        Assert.Contains("Request less", (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Equal(50, Ok(await Call(client, "events", new { limit = 50 }))["data"]!.AsArray().Count);
    }
}

/// <summary>Metrics and spans of agents' calls, as a collector receives them.</summary>
[Collection(nameof(Alone))]
public sealed class TelemetryTests(SharedSurroundings surroundings) : AgentTest(surroundings)
{
    [Fact]
    public async Task A_call_has_its_own_span_and_duration_under_the_operations_name()
    {
        using var collector = OtlpCollector.Start();
        var host = Start(collector.Settings);
        await using var client = await Connect(host, AcmeKey);
        Ok(await Call(client, "product", new { id = "p-1" }));

        var calls = await collector.Metric("bff.agents.call.duration", m => m.Points.Count > 0);
        Assert.Equal(("s", "histogram", "Bff"), (calls.Unit, calls.Kind, calls.Meter));
        Assert.Equal([("product", "200")], calls.Points.Select(p => (p["tool"], p["status"])).Distinct());

        await Eventually.True(() => collector.Spans.Any(s => s.Name == "GET /v1/products/{id}"), WaitLimit);
        var call = collector.Spans.Single(s => s.Name == "GET /v1/products/{id}");
        await Eventually.True(() => collector.Spans.Any(s => s.SpanId == call.ParentId), WaitLimit);
        Assert.Equal("POST /mcp", collector.Spans.Single(s => s.SpanId == call.ParentId).Name);
    }
}
