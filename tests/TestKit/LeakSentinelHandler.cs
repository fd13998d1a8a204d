using System.IO.Compression;
using System.Net;
using System.Text;

namespace Bff.TestKit;

/// <summary>Passes every error that a client receives, and every credential that it sends or receives, to the sentinel.</summary>
public sealed class LeakSentinelHandler(LeakSentinel sentinel, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        sentinel.ForbidParameters(request.RequestUri?.Query ?? "");
        Forbid(request.Headers.NonValidated);
        var response = await base.SendAsync(request, cancellationToken);
        Forbid(response.Headers.NonValidated);
        if (response.StatusCode is >= HttpStatusCode.BadRequest or HttpStatusCode.MultiStatus)
        {
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            var headers = string.Join(
                '\n',
                response.Headers.NonValidated.Where(h => h.Key != "Set-Cookie").Select(h => $"{h.Key}: {h.Value}")
            );
            sentinel.CheckErrorBody(
                $"{request.Method} {request.RequestUri?.AbsolutePath}",
                headers + "\n\n" + Decode(body, response.Content.Headers.ContentEncoding.SingleOrDefault())
            );
        }

        return response;
    }

    /// <summary>Returns the text of a body, decompressed.</summary>
    internal static string Decode(byte[] body, string? coding)
    {
        using var source = new MemoryStream(body);
        using Stream plain = coding switch
        {
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            _ => source,
        };
        using var reader = new StreamReader(plain, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private void Forbid(System.Net.Http.Headers.HttpHeadersNonValidated headers)
    {
        foreach (var (name, values) in headers)
        {
            foreach (var value in values)
            {
                sentinel.ForbidHeader(name, value);
            }
        }
    }
}
