using Microsoft.Extensions.Logging;

namespace PartnerBff.Tests;

/// <summary>A message without a certain end is the sender's fault.</summary>
public sealed class FramingTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    private const string Good = """{"reference":"r","items":[{"product_id":"p-1","quantity":1}]}""";

    [Theory]
    [InlineData("POST", "/v1/orders")]
    [InlineData("POST", "/v2/orders")]
    [InlineData("POST", "/v1/orders/batch")]
    [InlineData("POST", "/v1/api-keys")]
    [InlineData("POST", "/v1/webhook-endpoints")]
    public async Task Every_malformed_framing_is_400_and_is_not_logged_as_an_error(string method, string path)
    {
        var host = Start();

        var wrong = await Framings.Unanswered(
            host.Address,
            $"{method} {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nIdempotency-Key: one\r\nAuthorization: Bearer {AcmeKey}\r\n",
            Good,
            host.Leaks
        );

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error);
    }
}
