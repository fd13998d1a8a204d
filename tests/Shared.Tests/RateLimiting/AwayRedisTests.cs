using System.Net;
using Bff.RateLimiting;
using Bff.Tenancy;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>Tests the limits of a host that starts without its Redis.</summary>
public sealed class AwayRedisTests
{
    private static readonly Dictionary<string, string?> Nowhere = new()
    {
        ["ConnectionStrings:redis"] = "127.0.0.1:1",
        ["Tenants:acme:Plan"] = "enterprise",
    };

    [Fact]
    public async Task Users_are_limited_locally_by_the_same_plan()
    {
        await using var host = await LimitedHost.Start(
            PlanFamily.Users,
            new(Nowhere) { ["Plans:free:Burst"] = "2", ["Plans:free:RequestsPerMinute"] = "1" }
        );
        using var first = await host.Get("/things");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal("1", Assert.Single(first.Headers.GetValues("X-RateLimit-Remaining")));
        await host.Get("/things");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get("/things")).StatusCode);
    }

    [Fact]
    public async Task Partners_are_answered_with_503_and_Retry_After()
    {
        await using var host = await LimitedHost.Start(PlanFamily.Partner, new(Nowhere));
        using var answer = await host.Get("/things", tenant: "acme");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("store_unavailable", (await LimitedHost.Problem(answer)).GetProperty("code").GetString());
        Assert.Equal("1", Assert.Single(answer.Headers.GetValues("Retry-After")));
        Assert.True(answer.Headers.Contains("RateLimit-Policy"));
    }
}
