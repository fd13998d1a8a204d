using System.Text.Json;
using Bff.TestKit;

namespace Bff.Shared.Tests.Edge;

/// <summary>Sends raw requests and checks each answer and the requests that reached an endpoint.</summary>
public sealed class RequestTableTests(EdgeHost host) : IClassFixture<EdgeHost>
{
    [Theory]
    [MemberData(nameof(RequestTable.Rows), MemberType = typeof(RequestTable))]
    public async Task Every_request_gets_its_expected_answer_and_reaches_no_other_endpoint(
        string name,
        string request,
        int status,
        string? code,
        string? reached
    )
    {
        host.Reached.Clear();

        var answer = await RawHttp.Send(host.Host.Address, request, host.Host.Leaks);

        Assert.True(status == answer.Status, $"{name}: {answer.Status} {answer.Text}");
        Assert.Equal(reached is null ? [] : [reached], host.Reached.ToArray());
        if (answer.Status == 0 || code == "-")
        {
            Assert.Null(answer.Header("Server"));
            return; // The server sends its own answers without the pipeline.
        }

        AssertHeaders(answer);
        if (code is not null)
        {
            AssertProblem(answer, status, code);
        }
    }

    private static void AssertHeaders(RawResponse answer)
    {
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
        Assert.Equal("DENY", answer.Header("X-Frame-Options"));
        Assert.Equal("no-referrer", answer.Header("Referrer-Policy"));
        Assert.Equal("same-origin", answer.Header("Cross-Origin-Resource-Policy"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", answer.Header("Content-Security-Policy"));
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.NotNull(answer.Header("Permissions-Policy"));
        Assert.NotNull(answer.Header("X-Request-Id"));
        Assert.Equal(answer.Header("X-Request-Id"), answer.Header("X-Correlation-Id"));
        Assert.Null(answer.Header("Server"));
        Assert.Null(answer.Header("Strict-Transport-Security"));
        Assert.Equal(answer.Status == 405, answer.Header("Allow") is not null);
    }

    private static void AssertProblem(RawResponse answer, int status, string code)
    {
        Assert.Equal("application/problem+json", answer.Header("Content-Type"));
        var body = answer.Header("Content-Encoding") is null
            ? answer.Body
            : CompressionTests.Decompress(answer.Body, answer.Header("Content-Encoding")!);
        using var problem = JsonDocument.Parse(body);
        var root = problem.RootElement;
        Assert.Matches($"^http://gateway(:80)?/problems/{code}$", root.GetProperty("type").GetString());
        Assert.Equal(status, root.GetProperty("status").GetInt32());
        Assert.Equal(code, root.GetProperty("code").GetString());
        Assert.Equal(answer.Header("X-Request-Id"), root.GetProperty("requestId").GetString());
        Assert.Matches("^[0-9a-f]{32}$", root.GetProperty("traceId").GetString());
        Assert.False(string.IsNullOrEmpty(root.GetProperty("title").GetString()));
        Assert.False(string.IsNullOrEmpty(root.GetProperty("detail").GetString()));
        Assert.StartsWith("/", root.GetProperty("instance").GetString(), StringComparison.Ordinal);
        Assert.Equal(code == "validation_failed", root.TryGetProperty("errors", out var _));
    }
}
