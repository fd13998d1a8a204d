using System.Net;
using Bff.RateLimiting;
using Bff.TestKit;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>Tests that a refusal by routing is rate-limited like any endpoint and costs the caller that caused it.</summary>
public sealed class RefusalCostTests
{
    private readonly ManualTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 23, 0, 0, TimeSpan.Zero));

    public static TheoryData<string, string, string?, int> Refusals =>
        new()
        {
            { "DELETE", "/things", null, 405 },
            { "FROBNICATE", "/things", null, 405 },
            { "HEAD", "/orders", null, 405 },
            { "GET", "/batch/3", null, 405 },
            { "DELETE", "/open", null, 405 },
            { "POST", "/documents", "text/plain", 415 },
            { "GET", "/nowhere", null, 404 },
            { "GET", "/numbered/one", null, 404 },
            { "HEAD", "/numbered/one", null, 404 },
            { "POST", "/nowhere", "application/json", 404 },
            { "POST", "/orders", "too large", 413 },
        };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_costs_its_caller_and_neither_other_callers_nor_the_address(
        string method,
        string path,
        string? content,
        int status
    )
    {
        await using var host = await Start();
        for (var left = 2; left >= 0; left--)
        {
            using var refused = await Send(host, method, path, content, "alice");
            Assert.Equal(status, (int)refused.StatusCode);
            Assert.Equal($"{left}", Assert.Single(refused.Headers.GetValues("X-RateLimit-Remaining")));
            Assert.Equal(status == 405, refused.Content.Headers.Allow.Count > 0);
        }

        using var stopped = await Send(host, method, path, content, "alice");
        Assert.Equal(HttpStatusCode.TooManyRequests, stopped.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get("/things")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", "bob")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/open", null)).StatusCode);
    }

    [Fact]
    public async Task Sixty_callers_of_one_address_take_nothing_from_its_anonymous_bucket()
    {
        await using var host = await Start();
        for (var caller = 0; caller < 60; caller++)
        {
            using var refused = await host.Send(HttpMethod.Delete, "/things", $"u-{caller}");
            Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
        }

        using var stranger = await host.Get("/open", null);

        Assert.Equal(HttpStatusCode.OK, stranger.StatusCode);
        Assert.Equal("2", Assert.Single(stranger.Headers.GetValues("X-RateLimit-Remaining")));
    }

    [Fact]
    public async Task An_anonymous_caller_pays_by_address_and_learns_nothing_about_guarded_paths()
    {
        await using var host = await Start();

        using var guarded = await host.Send(HttpMethod.Delete, "/things", null);
        using var media = await Send(host, "POST", "/documents", "text/plain", null);
        Assert.Equal(HttpStatusCode.Unauthorized, guarded.StatusCode);
        Assert.Equal("missing_token", (await LimitedHost.Problem(guarded)).GetProperty("code").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, media.StatusCode);

        using var open = await host.Send(HttpMethod.Delete, "/open", null);
        using var nowhere = await host.Get("/nowhere", null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, open.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, nowhere.StatusCode);
        Assert.Equal("1", Assert.Single(nowhere.Headers.GetValues("X-RateLimit-Remaining")));
    }

    [Fact]
    public async Task An_endpoint_without_limits_has_none_for_wrong_methods()
    {
        await using var host = await Start();

        using var refused = await host.Send(HttpMethod.Delete, "/unlimited", null);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
        Assert.False(refused.Headers.Contains("X-RateLimit-Remaining"));
    }

    private Task<LimitedHost> Start() =>
        LimitedHost.Start(
            PlanFamily.Users,
            new()
            {
                ["Plans:free:Burst"] = "3",
                ["Plans:free:MaxPayloadBytes"] = "1000",
                ["Plans:anonymous:Burst"] = "3",
            },
            _clock
        );

    private static Task<HttpResponseMessage> Send(LimitedHost host, string method, string path, string? content, string? subject)
    {
        var body = content switch
        {
            null => null,
            "too large" => new StringContent(new string('x', 1001)),
            _ => new StringContent("{}", new System.Net.Http.Headers.MediaTypeHeaderValue(content)),
        };
        return host.Send(new HttpMethod(method), path, subject, content: body);
    }
}
