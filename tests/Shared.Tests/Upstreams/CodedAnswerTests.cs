using System.IO.Compression;
using System.Text;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests of answers in a content coding that the request did not ask for.</summary>
public sealed class CodedAnswerTests
{
    private const int Largest = 64 * 1024;

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("GZIP")]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("bare deflate")]
    [InlineData("identity")]
    [InlineData("br, gzip")]
    public async Task A_document_in_a_known_coding_is_read(string coding)
    {
        var text = Encoding.UTF8.GetBytes($$"""{"name":"{{new string('x', 40_000)}}"}""");
        await using var service = await Serving(coding.Replace("bare ", "", StringComparison.Ordinal), Encode(text, coding));
        await using var bench = await StartAsync(null, Settings(service));

        var answer = await bench.Client("users").Get("users/u-1", Any, bench.Call());

        Assert.Equal(UpstreamOutcome.Ok, answer.Outcome);
        Assert.Equal(40_000, answer.Value.GetProperty("name").GetString()!.Length);
    }

    [Fact]
    public async Task A_file_is_decoded_too()
    {
        await using var service = await Serving("gzip", Encode("picture"u8.ToArray(), "gzip"));
        await using var bench = await StartAsync(null, Settings(service));

        var answer = await bench.Client("users").GetFile("media/p-1", bench.Call());

        Assert.Equal("picture", Encoding.UTF8.GetString(answer.Value!.Content.Span));
    }

    [Fact]
    public async Task A_refusal_in_a_coding_says_what_the_service_said()
    {
        await using var service = await Serving("gzip", Encode("""{"title":"Sold out"}"""u8.ToArray(), "gzip"), 409);
        await using var bench = await StartAsync(null, Settings(service));

        var answer = await bench.Client("users").Write(HttpMethod.Post, "orders", "{}"u8.ToArray(), Any, bench.Call());

        Assert.Equal((UpstreamOutcome.Rejected, "Sold out"), (answer.Outcome, answer.ServiceProblem?.Title));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("gzip, gzip")]
    public async Task A_document_that_is_too_large_once_decoded_is_a_failure(string coding)
    {
        var text = Encoding.UTF8.GetBytes($"\"{new string('x', 4 * 1024 * 1024)}\"");
        await using var service = await Serving(coding, Encode(text, coding));
        await using var bench = await StartAsync(null, Settings(service));

        Assert.Equal(UpstreamOutcome.Failed, (await bench.Client("users").Get("users/u-1", Any, bench.Call())).Outcome);
    }

    /// <summary>The document is small, but the bytes between its two codings are more than is allowed.</summary>
    [Fact]
    public async Task A_body_that_is_too_large_between_two_codings_is_a_failure()
    {
        var inner = Enumerable
            .Repeat(Encode(" "u8.ToArray(), "gzip"), 4000)
            .SelectMany(piece => piece)
            .Concat(Encode("{}"u8.ToArray(), "gzip"));
        var body = Encode([.. inner], "gzip");
        Assert.True(body.Length < Largest && inner.Count() > Largest);
        await using var service = await Serving("gzip, gzip", body);
        await using var bench = await StartAsync(null, Settings(service));

        Assert.Equal(UpstreamOutcome.Failed, (await bench.Client("users").Get("users/u-1", Any, bench.Call())).Outcome);
    }

    [Theory]
    [InlineData("gzip", "{\"plain\":1}")]
    [InlineData("br", "{\"plain\":1}")]
    [InlineData("deflate", "{\"plain\":1}")]
    [InlineData("unknown", "?")]
    [InlineData("gzip, gzip, gzip, gzip", "?")]
    public async Task A_body_that_cannot_be_decoded_is_a_failure(string coding, string body)
    {
        await using var service = await Serving(coding, Encoding.UTF8.GetBytes(body));
        await using var bench = await StartAsync(null, Settings(service));

        Assert.Equal(UpstreamOutcome.Failed, (await bench.Client("users").Get("users/u-1", Any, bench.Call())).Outcome);
    }

    private static (string, string)[] Settings(TestHost service) =>
        [
            ("Upstreams:users:Address", service.Address.ToString()),
            ("Upstreams:users:Retries", "0"),
            ("Upstreams:users:MaxResponseBytes", $"{Largest}"),
        ];

    private static Task<TestHost> Serving(string coding, byte[] body, int status = 200) =>
        TestHost.Start(
            _ => { },
            app =>
                app.Run(async context =>
                {
                    context.Response.StatusCode = status;
                    context.Response.ContentType = "application/json";
                    context.Response.Headers.ContentEncoding = coding;
                    await context.Response.Body.WriteAsync(body);
                })
        );

    private static byte[] Encode(byte[] text, string codings)
    {
        foreach (var coding in codings.Split(", "))
        {
            using var sink = new MemoryStream();
            using (
                Stream coder = coding switch
                {
                    "br" => new BrotliStream(sink, CompressionLevel.Fastest, leaveOpen: true),
                    "deflate" => new ZLibStream(sink, CompressionLevel.Fastest, leaveOpen: true),
                    "bare deflate" => new DeflateStream(sink, CompressionLevel.Fastest, leaveOpen: true),
                    "identity" => new BufferedStream(new MemoryStream()),
                    _ => new GZipStream(sink, CompressionLevel.Fastest, leaveOpen: true),
                }
            )
            {
                coder.Write(text);
            }

            text = coding == "identity" ? text : sink.ToArray();
        }

        return text;
    }
}
