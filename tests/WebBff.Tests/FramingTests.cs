using Microsoft.Extensions.Logging;

namespace WebBff.Tests;

/// <summary>A message without a certain end is the sender's fault.</summary>
public sealed class FramingTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const string Order = """{"items":[{"productId":"p-1","quantity":1}]}""";

    [Theory]
    [InlineData("POST", "/api/orders", "application/json")]
    [InlineData("PATCH", "/api/profile", "application/json")]
    [InlineData("POST", "/api/orders/o-5001/cancel", "application/json")]
    [InlineData("POST", "/bff/backchannel-logout", "application/x-www-form-urlencoded")]
    public async Task Every_malformed_framing_is_400_and_is_not_logged_as_an_error(string method, string path, string type)
    {
        var host = Start(
            new() { ["Upstreams:orders:Breaker:MinimumThroughput"] = "2", ["Upstreams:orders:Breaker:FailureRatio"] = "0.01" }
        );

        var wrong = await Framings.Unanswered(
            host.Address,
            $"{method} {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: {type}\r\nAuthorization: Bearer {Surroundings.Token()}\r\n",
            Order,
            host.Leaks
        );

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error);
        using var orders = await host.Get("/api/orders");
        Assert.Equal(HttpStatusCode.OK, orders.StatusCode);
    }
}
