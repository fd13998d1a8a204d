using System.Buffers;
using System.Runtime.CompilerServices;
using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>A response body that was read completely into a pooled buffer. The response keeps the headers that describe it.</summary>
internal sealed class BufferedBody : IDisposable
{
    private readonly int _length;
    private byte[]? _buffer;

    private BufferedBody(byte[] buffer, int length) => (_buffer, _length) = (buffer, length);

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>Reads the response's content to its end.</summary>
    /// <param name="response">The response, with its content unread.</param>
    /// <param name="decodes">Whether content codings are decoded; an unknown coding stays, together with its header.</param>
    /// <param name="maxBytes">Maximum size of the body, both encoded and decoded.</param>
    /// <param name="cancellation">Cancels the read.</param>
    /// <exception cref="HttpRequestException">The body is larger than <paramref name="maxBytes"/>, breaks off, or does not have the coding
    /// that it states.</exception>
    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    public static async ValueTask<BufferedBody> Read(
        HttpResponseMessage response,
        bool decodes,
        int maxBytes,
        CancellationToken cancellation
    )
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
            var stream = content.ReadAsStream(cancellation); // Returns the connection's stream; reads nothing yet.
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

        return new BufferedBody(buffer, length);
    }

    /// <summary>Returns the buffer to the pool.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
