namespace MobileBff.Tests.Configuration;

/// <summary>Tests <c>Upstreams:&lt;name&gt;:ForwardAuthorization</c>.</summary>
public sealed class ForwardAuthorizationTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task Only_the_configured_service_gets_the_callers_token_by_calls_and_by_routes()
    {
        var host = Start(new() { ["Upstreams:orders:ForwardAuthorization"] = "true" });
        var read = host.Request(HttpMethod.Get, "/home-feed");
        var write = host.Request(HttpMethod.Post, "/orders");
        write.Content = new StringContent(
            """{"currency":"EUR","items":[{"productId":"p-1","quantity":1}]}""",
            System.Text.Encoding.UTF8,
            "application/json"
        );
        var came = new[] { read.Headers.Authorization!.ToString(), write.Headers.Authorization!.ToString() };

        using var feed = await host.Client.SendAsync(read);
        using var placed = await host.Client.SendAsync(write);

        Assert.True(feed.IsSuccessStatusCode && placed.IsSuccessStatusCode);
        Assert.Equal(came, Upstream.Orders.Calls.All.Select(c => c.Header("Authorization")));
        Assert.All(
            (SampleService[])[Upstream.Users, Upstream.Recommendations, Upstream.Notifications],
            s => Assert.Null(Assert.Single(s.Calls.All).Header("Authorization"))
        );
    }

    [Theory]
    [InlineData("products")]
    [InlineData("pricing")]
    [InlineData("reviews")]
    [InlineData("inventory")]
    [InlineData("media")]
    public void The_host_does_not_start_if_a_service_with_shared_answers_would_get_a_callers_token(string service)
    {
        var refusal = Assert.ThrowsAny<Exception>(() => Start(new() { [$"Upstreams:{service}:ForwardAuthorization"] = "true" }));

        Assert.Contains($"Upstreams:{service}:ForwardAuthorization: must be false", refusal.ToString(), StringComparison.Ordinal);
    }
}
