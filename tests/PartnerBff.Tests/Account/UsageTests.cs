using Microsoft.Extensions.DependencyInjection;
using PartnerBff.Usage;

namespace PartnerBff.Tests.Account;

public sealed class UsageTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    [Fact]
    public async Task The_account_says_plan_and_limits()
    {
        var host = Start();
        var account = await Json(await Get(host, "/v1/account", InitechKey));
        Assert.Equal(("initech", "live"), ((string)account["tenant"]!, (string)account["mode"]!));
        Assert.Equal(("free", "read-only"), ((string)account["plan"]!["name"]!, (string)account["plan"]!["endpoints"]!));
        Assert.Equal((100, 10_000), ((int)account["limits"]!["requests_per_minute"]!, (int)account["limits"]!["requests_per_day"]!));
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task Usage_adds_up_over_instances_by_day_and_endpoint_refusals_apart(bool withRedis)
    {
        var redis = withRedis ? StartRedis() : null;
        var one = Start(redis: redis);
        var two = withRedis ? Start(redis: redis) : one;
        foreach (var host in (PartnerHost[])[one, two])
        {
            if (withRedis)
            {
                await Connected(host);
            }

            Assert.Equal(HttpStatusCode.OK, (await Get(host, "/v1/products/p-1", AcmeKey)).StatusCode);
            await Problem(await Get(host, "/v1/products/p-nope", AcmeKey), 404, "not_found");
        }

        List<JsonNode> rows = [];
        await Eventually.True(async () =>
        {
            await Json(await Get(two, "/v1/usage", AcmeKey)); // Reading usage also writes the instance's counts to the store.
            rows =
            [
                .. (await Json(await Get(one, "/v1/usage", AcmeKey)))["data"]!
                    .AsArray()
                    .Where(r => (string?)r!["endpoint"] == "GET /v1/products/{id}")
                    .Select(r => r!),
            ];
            return Sum("requests") >= 4; // A request is counted when it has ended, which may be after its answer has arrived.
        });
        Assert.Equal((4, 2, 0), (Sum("requests"), Sum("client_errors"), Sum("server_errors")));
        Assert.Equal(rows.Count, rows.Select(r => (string?)r["date"]).Distinct().Count()); // Two rows around midnight.
        Assert.All(rows, r => Assert.True((double)r["p95_ms"]! >= (double)r["p50_ms"]! && (double)r["p50_ms"]! > 0));
        Assert.Empty((await Json(await Get(one, "/v1/usage", GlobexKey)))["data"]!.AsArray());
        await Problem(await Get(one, "/v1/usage?from=2020-01-01", AcmeKey), 400, "validation_failed");
        await Problem(await Get(one, "/v1/usage?from=yesterday", AcmeKey), 400, "validation_failed");
        await Problem(await Get(one, "/v1/usage?to=1/2/2026", AcmeKey), 400, "validation_failed");
        await Problem(await Get(one, "/v1/usage?from=2026-01-31&to=2026-01-30", AcmeKey), 400, "validation_failed");
        foreach (
            var (period, from, to) in ((string, string, string)[])
                [("to=0001-01-05", "0001-01-01", "0001-01-05"), ("from=9999-12-01&to=9999-12-31", "9999-12-01", "9999-12-31")]
        )
        {
            var empty = await Json(await Get(one, "/v1/usage?" + period, AcmeKey)); // The first and last dates of the calendar.
            Assert.Equal((from, to, 0), ((string)empty["from"]!, (string)empty["to"]!, empty["data"]!.AsArray().Count));
        }

        int Sum(string count) => rows.Sum(r => (int)r[count]!);
    }

    [Fact]
    public async Task Requests_beyond_the_quota_are_billed_by_day_and_endpoint()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow); // All requests fall on one day.
        var host = Start(
            services: services => services.AddSingleton<TimeProvider>(clock),
            settings: new()
            {
                ["Plans:metered:RequestsPerMinute"] = "6000",
                ["Plans:metered:Burst"] = "100",
                ["Plans:metered:RequestsPerDay"] = "3",
                ["Plans:metered:Overage"] = "true",
                ["Plans:metered:OverageCeiling"] = "50",
                ["Tenants:acme:Plan"] = "metered",
            }
        );
        for (var i = 0; i < 2; i++)
        {
            await Json(await Get(host, "/v1/products/p-1", AcmeKey));
        }

        await Json(await Get(host, "/v1/inventory/p-1", AcmeKey));
        await Json(await Get(host, "/v1/inventory/p-1", AcmeKey));
        await Problem(await Get(host, "/v1/products/p-nope", AcmeKey), 404, "not_found");
        var batch = new JsonObject
        {
            ["orders"] = new JsonArray([.. Enumerable.Range(0, 4).Select(i => (JsonNode)Order(reference: $"over-{i}"))]),
        };
        await Json(await Send(host, HttpMethod.Post, "/v1/orders/batch", AcmeKey, batch, "over"), 207);
        await Eventually.True(async () => // A request is counted when it has ended, which may be after its answer has arrived.
        {
            await host.Services.GetRequiredService<UsageRecorder>().Flush(default);
            var counted = await host
                .Services.GetRequiredService<IUsageStore>()
                .Read("acme", DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime), default);
            return counted.Values.Sum(u => u.Requests) == 6;
        });

        var usage = await Json(await Get(host, "/v1/usage", AcmeKey));

        Assert.Equal(
            [("GET /v1/inventory/{product_id}", 1), ("GET /v1/products/{id}", 1), ("POST /v1/orders/batch", 4)],
            usage["data"]!.AsArray().Select(r => ((string)r!["endpoint"]!, (int)r["billable_overage"]!))
        );
        // This request counts too, but only once it has ended.
        Assert.Equal(7, (int)Assert.Single(usage["days"]!.AsArray())!["billable_overage"]!);
    }
}
