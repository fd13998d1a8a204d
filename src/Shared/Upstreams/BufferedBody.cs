using System.Buffers;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;

namespace Bff.Upstreams;

/// <summary>A response body that was read whole into a pooled buffer; goes back to the pool with the response.</summary>
internal sealed class BufferedBody : HttpContent
{
    private readonly int _length;
    private byte[]? _buffer;

    private BufferedBody(byte[] buffer, int length, HttpContent original)
    {
        _buffer = buffer;
        _length = length;
        Described = original.Headers;
    }

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>How the service described it.</summary>
    public HttpContentHeaders Described { get; }

    /// <summary>
    /// Gives the content the headers that it is described with, and its length: for an answer that goes along. In a composition nobody asks
    /// for them.
    /// </summary>
    public void ShowHeaders()
    {
        foreach (var (name, values) in Described.NonValidated)
        {
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }

        _ = Headers.ContentLength; // Computes it.
    }

    /// <summary>Replaces the response's content by its bytes.</summary>
    /// <param name="response">Its content is unread.</param>
    /// <param name="decodes">Whether codings are undone; one that is not understood stays, and its header with it.</param>
    /// <param name="maxBytes">Of the body, as it comes and decoded.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="HttpRequestException">The body is larger than <paramref name="maxBytes"/>, breaks off, or is not in the coding that
    /// it names.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public static async ValueTask Read(HttpResponseMessage response, bool decodes, int maxBytes, CancellationToken cancellation)
    {
        var content = response.Content;
        var expected = content.Headers.ContentLength ?? 0;
        if (expected > maxBytes)
        {
            throw new HttpRequestException("The upstream's body is larger than MaxResponseBytes.");
        }

        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(4096, (int)expected + 1));
        var length = 0;
        try
        {
            var stream = content.ReadAsStream(cancellation); // The connection's; nothing is read yet.
            int read;
            while ((read = await stream.ReadAsync(buffer.AsMemory(length), cancellation)) > 0)
            {
                length += read;
                if (length > maxBytes)
                {
                    throw new HttpRequestException("The upstream's body is larger than MaxResponseBytes.");
                }

                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length * 2, maxBytes + 1));
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }

            if (
                decodes
                && length > 0
                && content.Headers.NonValidated.TryGetValues("Content-Encoding", out var named)
                && ContentDecoding.Understand(named.ToString()) is { } codings
            )
            {
                var encoded = buffer;
                (buffer, length) = ContentDecoding.Decode(encoded, length, codings, maxBytes);
                ArrayPool<byte>.Shared.Return(encoded);
                content.Headers.Remove("Content-Encoding");
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }

        response.Content = new BufferedBody(buffer, length, content);
        content.Dispose();
    }

    protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
        stream.WriteAsync(Memory).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        base.Dispose(disposing);
    }
}
