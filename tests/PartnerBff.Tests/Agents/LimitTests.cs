using Microsoft.Extensions.DependencyInjection;

namespace PartnerBff.Tests.Agents;

/// <summary>A call costs what its operation costs, and any other message costs one unit.</summary>
public sealed class LimitTests(SharedSurroundings surroundings) : AgentTest(surroundings)
{
    [Fact]
    public async Task A_call_spends_what_the_operations_request_would_and_no_more()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow); // The clock stands still, so the bucket does not refill.
        var host = Start(
            new()
            {
                ["Plans:small:RequestsPerMinute"] = "1",
                ["Plans:small:Burst"] = "20",
                ["Tenants:acme:Plan"] = "small",
                ["Limits:Endpoints:inventory:Cost"] = "5",
            },
            services: services => services.AddSingleton<TimeProvider>(clock)
        );
        await Left(19, CallMessage("account"));
        await Left(18, CallMessage("product", new { id = "p-1" }));
        await Left(13, CallMessage("inventory", new { product_id = "p-1" }));
        await Left(10, CallMessage("batch", new { idempotency_key = "b", orders = new[] { NewOrder(), NewOrder(), NewOrder() } }));
        Assert.NotNull((await Result(await Post(host, AcmeKey, Message("tools/list"))))["tools"]);
        await Left(8, CallMessage("account"));
        using var unknown = await Post(host, AcmeKey, CallMessage("nothing"));
        await Left(6, CallMessage("account"));
        Assert.Equal("validation_failed", await CodeOf(Post(host, AcmeKey, CallMessage("account", new { a = 1 }))));
        await Left(4, CallMessage("account"));
        await Problem(await Post(host, AcmeKey, "{"), 400, "malformed_request");
        await Left(2, CallMessage("account"));
        await Problem(await Send(host, HttpMethod.Get, "/mcp", AcmeKey), 405, "method_not_allowed");
        await Left(0, CallMessage("account"));

        var refused = await Result(await Post(host, AcmeKey, CallMessage("account")));
        Assert.Equal("rate_limit_exceeded", (string?)refused["_meta"]!["code"]);
        Assert.True((bool)refused["isError"]!);
        Assert.Equal("60", (string?)refused["_meta"]!["headers"]!["Retry-After"]);
        Assert.Equal(
            "rate_limit_exceeded",
            await CodeOf(Post(host, AcmeKey, CallMessage("batch", new { idempotency_key = "c", orders = new[] { NewOrder() } })))
        );
        var list = await Post(host, AcmeKey, Message("tools/list"));
        await Problem(list, 429, "rate_limit_exceeded");
        Assert.NotNull(list.Headers.RetryAfter);
        await Problem(await Get(host, "/v1/account", AcmeKey), 429, "rate_limit_exceeded");
        Assert.Equal(3, Placed(Upstream));

        async Task Left(int units, string message)
        {
            var result = await Result(await Post(host, AcmeKey, message));
            Assert.Null(result["_meta"]!["code"]);
            Assert.StartsWith($"\"burst\";r={units};", (string?)result["_meta"]!["headers"]!["RateLimit"], StringComparison.Ordinal);
        }
    }

    [RedisTheory]
    [InlineData("Exact")]
    [InlineData("Leased")]
    public async Task A_hundred_calls_at_once_on_three_instances_get_what_the_bucket_holds(string mode)
    {
        var redis = StartRedis();
        var settings = new Dictionary<string, string?>
        {
            ["Limits:Mode"] = mode,
            ["Plans:small:RequestsPerMinute"] = "60000",
            ["Plans:small:Burst"] = "1000",
            ["Plans:small:RequestsPerDay"] = "40",
            ["Tenants:acme:Plan"] = "small",
        };
        var hosts = Enumerable.Range(0, 3).Select(_ => Start(settings, redis)).ToList();
        foreach (var host in hosts)
        {
            await Connected(host);
            await Result(await Post(host, GlobexKey, Message("tools/list"))); // Makes the host build its tools.
        }

        var codes = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(i => CodeOf(Post(hosts[i % 3], AcmeKey, CallMessage("product", new { id = "p-1" }, i))))
        );

        Assert.Equal(["quota_exceeded"], codes.OfType<string>().Distinct());
        var admitted = codes.Count(c => c is null);
        Assert.True(mode == "Exact" ? admitted == 40 : admitted is > 0 and <= 40, $"{admitted} were admitted");
    }

    [RedisFact]
    public async Task Only_one_of_a_hundred_copies_on_three_instances_reaches_the_service()
    {
        var redis = StartRedis();
        var hosts = Enumerable.Range(0, 3).Select(_ => Start(redis: redis)).ToList();
        foreach (var host in hosts)
        {
            await Connected(host);
        }

        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 100)
                .Select(async i => await Result(await Post(hosts[i % 3], AcmeKey, CallMessage("place-order", Arguments("one"), i))))
        );

        Assert.Equal(1, Placed(Upstream));
        var codes = results.Select(r => (string?)r["_meta"]!["code"]).Distinct().ToList();
        Assert.Contains(null, codes);
        Assert.Empty(codes.Except([null, "idempotency_in_flight"]));
        Assert.Single(results.Select(r => (string?)r["structuredContent"]?["id"]).OfType<string>().Distinct());
    }

    [Fact]
    public async Task A_busy_host_serves_as_many_calls_at_once_as_requests_and_a_message_takes_no_slot()
    {
        var host = Start(new() { ["Admission:MaxConcurrency"] = "1", ["Admission:MaxQueue"] = "0" });
        await Result(await Post(host, AcmeKey, CallMessage("product", new { id = "p-1" })));
        using var held = Upstream.Products.Faults.Hold();
        var first = Post(host, AcmeKey, CallMessage("product", new { id = "p-2" }));
        await Upstream.Products.Calls.FirstAsync(c => c.Path == "/products/p-2").WaitAsync(WaitLimit);

        Assert.Equal("overloaded", await CodeOf(Post(host, AcmeKey, CallMessage("product", new { id = "p-3" }))));
        Assert.NotNull((await Result(await Post(host, AcmeKey, Message("tools/list"))))["tools"]);
        held.Dispose();
        Assert.Null(await CodeOf(first));
    }

    private static object NewOrder() => new { currency = "EUR", items = new[] { new { product_id = "p-1", quantity = 1 } } };
}
