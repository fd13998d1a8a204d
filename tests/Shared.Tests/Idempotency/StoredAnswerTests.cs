using Bff.Idempotency;
using Microsoft.AspNetCore.Http;

namespace Bff.Shared.Tests.Idempotency;

public sealed class StoredAnswerTests
{
    [Fact]
    public async Task A_repeat_gets_the_headers_that_describe_the_content_and_no_others()
    {
        var first = new DefaultHttpContext().Response;
        first.StatusCode = 201;
        first.Headers.ContentType = "application/json";
        first.Headers.ContentEncoding = "gzip"; // A service may compress its answer unasked.
        first.Headers.Location = "/orders/o-1";
        first.Headers["X-Request-Id"] = "r-1";
        var repeat = new DefaultHttpContext { Response = { Body = new MemoryStream() } };

        await StoredAnswer.Deserialize(StoredAnswer.Of(first, [1, 2, 3]).Serialize()).Replay(repeat);

        Assert.Equal(201, repeat.Response.StatusCode);
        Assert.Equal(
            [
                "Content-Encoding: gzip",
                "Content-Length: 3",
                "Content-Type: application/json",
                "Idempotent-Replayed: true",
                "Location: /orders/o-1",
            ],
            repeat.Response.Headers.Select(h => $"{h.Key}: {h.Value}").Order(StringComparer.Ordinal)
        );
    }
}
