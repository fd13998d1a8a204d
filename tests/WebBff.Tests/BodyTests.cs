using Bff.TestKit.Failures;

namespace WebBff.Tests;

/// <summary>A client's faulty body is not counted against a service.</summary>
public sealed class BodyTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private const string Order = """{"items":[{"productId":"p-1","quantity":1}]}""";

    [Theory]
    [InlineData("zz\r\n", 400)]
    [InlineData("5\r\n{\"ite\r\nzz\r\n", 400)]
    [InlineData("ffffffff\r\n", 400)]
    [InlineData("5\r\n{\"ite\r\n200000\r\n", 413)]
    public async Task Broken_chunks_of_one_user_do_not_affect_another(string chunks, int status)
    {
        var host = Start(
            new() { ["Upstreams:orders:Breaker:MinimumThroughput"] = "2", ["Upstreams:orders:Breaker:FailureRatio"] = "0.01" }
        );
        for (var i = 0; i < 5; i++)
        {
            var filler = status == 413 ? new string('a', 0x200000) : "";
            var answer = await RawHttp.Send(
                host.Address,
                $"POST /api/orders HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer {Surroundings.Token()}\r\n"
                    + $"Transfer-Encoding: chunked\r\n\r\n{chunks}{filler}",
                host.Leaks
            );
            Assert.True(answer.Status == status, $"{answer.Status}: {answer.Text}");
        }

        using var orders = await host.Get("/api/orders", "u-1002"); // Another user.
        Assert.Equal(HttpStatusCode.OK, orders.StatusCode);
    }
}
