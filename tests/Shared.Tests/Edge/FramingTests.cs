using System.Collections.Concurrent;
using Bff.TestKit;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Edge;

/// <summary>
/// Tests that a request without a well-defined end is refused as a client error at every kind of endpoint that reads a body.
/// </summary>
public sealed class FramingTests
{
    private const string Order = """{"reference":"r","items":[{"product_id":"p","quantity":2}]}""";
    private const string Line = """{"product_id":"p","quantity":2}""";

    [Theory]
    [InlineData("/orders", Order)]
    [InlineData("/upload", Order)]
    [InlineData("/bound", Line, false)]
    public async Task Every_malformed_framing_is_answered_with_400_and_logs_no_error(string path, string good, bool breaksOff = true)
    {
        var reached = new ConcurrentQueue<string>();
        await using var host = await EdgeHost.Start(reached);

        var wrong = await Framings.Unanswered(
            host.Address,
            $"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n",
            good,
            host.Leaks,
            breaksOff
        );

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.Empty(reached);
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error);
    }

    [Fact]
    public async Task A_malformed_framing_is_answered_with_a_problem_and_closes_the_connection()
    {
        await using var host = await EdgeHost.Start(new());

        var answer = await RawHttp.Send(
            host.Address,
            "POST /orders HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\n",
            host.Leaks
        );

        Assert.Equal(400, answer.Status);
        Assert.Equal("application/problem+json", answer.Header("Content-Type"));
        Assert.Contains("malformed_request", answer.Text, StringComparison.Ordinal);
        Assert.Equal("close", answer.Header("Connection"));
    }
}
