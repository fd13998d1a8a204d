using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using Bff.TestKit;

namespace Bff.Shared.Tests.Edge;

public sealed class CompressionTests(EdgeHost host) : IClassFixture<EdgeHost>
{
    [Theory]
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("br", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip;q=1.0, br;q=0.5", "gzip")]
    [InlineData("br;q=0, gzip", "gzip")]
    [InlineData("*", "br")]
    [InlineData("BR", "br")]
    [InlineData("deflate", null)]
    [InlineData("identity", null)]
    [InlineData("br;q=0, gzip;q=0", null)]
    [InlineData("br;q=nonsense", null)]
    [InlineData(null, null)]
    public async Task Json_is_compressed_with_the_coding_that_the_client_prefers_and_with_brotli_by_default(
        string? accepted,
        string? coding
    )
    {
        var answer = await Get("/large", accepted);

        Assert.Equal(coding, answer.Header("Content-Encoding"));
        Assert.Equal("Accept-Encoding", answer.Header("Vary"));
        Assert.Equal(5011, (coding is null ? answer.Body : Decompress(answer.Body, coding)).Length);
    }

    [Theory]
    [InlineData(1023, false, null)]
    [InlineData(1023, true, null)]
    [InlineData(1024, false, "br")]
    [InlineData(1024, true, "br")]
    [InlineData(64 * 1024, false, "br")]
    [InlineData(64 * 1024 + 1, false, "br")]
    [InlineData(3_000_000, true, "br")]
    [InlineData(3_000_000, false, "br")]
    public async Task Compression_begins_at_one_kibibyte_and_keeps_every_byte(int size, bool known, string? coding)
    {
        var answer = await Get($"/json?size={size}&known={known}", "br");

        Assert.Equal(200, answer.Status);
        Assert.Equal(coding, answer.Header("Content-Encoding"));
        Assert.Equal(coding is null ? "\"strong\"" : "W/\"strong\"", answer.Header("ETag"));
        var plain = coding is null ? answer.Body : Decompress(answer.Body, coding);
        Assert.Equal(size, plain.Length);
        Assert.Equal((byte)'}', plain[^1]);
    }

    [Theory]
    [InlineData("10,1013", null)]
    [InlineData("10,1014", "br")]
    [InlineData("10,20,5000", "br")]
    [InlineData("1000,20,3", null)]
    [InlineData("1,70000,1", "br")]
    public async Task A_document_written_in_pieces_is_compressed_as_one(string lengths, string? coding)
    {
        foreach (var buffered in (bool[])[false, true])
        {
            var answer = await Get($"/pieces?lengths={lengths}&buffered={buffered}&fails=false", "br");

            Assert.Equal((200, coding), (answer.Status, answer.Header("Content-Encoding")));
            var plain = coding is null ? answer.Body : Decompress(answer.Body, coding);
            Assert.Equal(lengths.Split(',').Sum(l => int.Parse(l, CultureInfo.InvariantCulture)), plain.Length);
        }
    }

    [Theory]
    [InlineData("10", false)]
    [InlineData("10", true)]
    [InlineData("5000", true)]
    public async Task A_document_that_fails_before_any_byte_is_sent_becomes_a_problem(string lengths, bool buffered)
    {
        var answer = await Get($"/pieces?lengths={lengths}&buffered={buffered}&fails=true", "br");

        Assert.Equal((500, "application/problem+json"), (answer.Status, answer.Header("Content-Type")));
        Assert.Null(answer.Header("Content-Encoding"));
        Assert.Contains("\"internal_error\"", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/text")]
    [InlineData("/sse")]
    public async Task A_body_that_is_not_json_is_not_compressed(string path)
    {
        var answer = await Get(path, "br, gzip");

        Assert.Equal(200, answer.Status);
        Assert.Null(answer.Header("Content-Encoding"));
        Assert.Null(answer.Header("Vary"));
        Assert.True(answer.Body.Length > 4000);
    }

    [Fact]
    public async Task An_encoded_answer_is_not_encoded_again()
    {
        var answer = await Get("/encoded", "br");

        Assert.Equal("zstd", answer.Header("Content-Encoding"));
        Assert.Equal(5011, answer.Body.Length);
    }

    [Fact]
    public async Task Large_problems_are_compressed_too()
    {
        var answer = await Get("/problem", "gzip");

        Assert.Equal("gzip", answer.Header("Content-Encoding"));
        Assert.Equal("application/problem+json", answer.Header("Content-Type"));
        Assert.Contains("member_59", System.Text.Encoding.UTF8.GetString(Decompress(answer.Body, "gzip")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HEAD_returns_the_same_headers_without_a_body()
    {
        var answer = await RawHttp.Send(
            host.Host.Address,
            "HEAD /large HTTP/1.1\r\nHost: gateway\r\nAccept-Encoding: br\r\n\r\n",
            host.Host.Leaks
        );

        Assert.Equal(200, answer.Status);
        Assert.Equal("br", answer.Header("Content-Encoding"));
        Assert.Empty(answer.Body);
    }

    [Fact]
    public async Task Events_arrive_one_by_one_for_a_client_that_accepts_compression()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sse");
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("br"));
        using var answer = await host.Host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());

        Assert.StartsWith("data: eee", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    internal static byte[] Decompress(byte[] bytes, string coding)
    {
        using var source = new MemoryStream(bytes);
        using Stream stream =
            coding == "br" ? new BrotliStream(source, CompressionMode.Decompress) : new GZipStream(source, CompressionMode.Decompress);
        using var plain = new MemoryStream();
        stream.CopyTo(plain);
        return plain.ToArray();
    }

    private Task<RawResponse> Get(string path, string? accepted) =>
        RawHttp.Send(
            host.Host.Address,
            $"GET {path} HTTP/1.1\r\nHost: gateway\r\n{(accepted is null ? "" : $"Accept-Encoding: {accepted}\r\n")}\r\n",
            host.Host.Leaks
        );
}
