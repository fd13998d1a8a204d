using Microsoft.Extensions.Logging;

namespace MobileBff.Tests;

/// <summary>A message without a certain end is the sender's fault at endpoints, on passed-through paths and on configured routes.</summary>
public sealed class FramingTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private const string Order = """{"items":[{"productId":"p-1","quantity":1}]}""";

    [Theory]
    [InlineData("POST", "/orders")]
    [InlineData("POST", "/orders", "Idempotency-Key: one\r\n")]
    [InlineData("PATCH", "/me")]
    [InlineData("POST", "/notifications/n-1/read")]
    [InlineData("POST", "/through")]
    [InlineData("POST", "/streamed")]
    public async Task Every_malformed_framing_is_400_and_is_not_counted_against_a_service(string method, string path, string more = "")
    {
        var host = Start(
            new()
            {
                ["ReverseProxy:Routes:through:ClusterId"] = "orders",
                ["ReverseProxy:Routes:through:Match:Path"] = "/through",
                ["ReverseProxy:Routes:through:Metadata:Scope"] = "api",
                ["ReverseProxy:Routes:through:Transforms:0:PathSet"] = "/orders",
                ["ReverseProxy:Routes:streamed:ClusterId"] = "orders",
                ["ReverseProxy:Routes:streamed:Match:Path"] = "/streamed",
                ["ReverseProxy:Routes:streamed:Metadata:Scope"] = "api",
                ["ReverseProxy:Routes:streamed:MaxRequestBodySize"] = "100000000",
                ["ReverseProxy:Routes:streamed:Transforms:0:PathSet"] = "/orders",
                ["Plans:free:MaxPayloadBytes"] = "100000000",
                ["Upstreams:orders:Breaker:MinimumThroughput"] = "2",
                ["Upstreams:orders:Breaker:FailureRatio"] = "0.01",
            }
        );
        var head =
            $"{method} {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer {Surroundings.Token()}\r\n{more}";

        // The proxy drops a sender that breaks off while its body is being forwarded, and sends no answer then.
        var wrong = await Framings.Unanswered(host.Address, head, Order, host.Leaks, breaksOff: path != "/streamed");

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error);
        using var orders = await host.Get("/orders");
        Assert.Equal(HttpStatusCode.OK, orders.StatusCode); // The circuit breaker has not counted it.
    }
}
