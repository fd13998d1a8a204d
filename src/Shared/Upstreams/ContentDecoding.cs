using System.Buffers;
using System.IO.Compression;

namespace Bff.Upstreams;

/// <summary>
/// Undoes the content codings (RFC 9110 section 8.4.1) of a body that is in memory. The gateway does not ask services for them; caches and sidecars
/// between add them.
/// </summary>
internal static class ContentDecoding
{
    /// <summary>Codings that are undone one after another; each further one would multiply the work that a small body makes.</summary>
    private const int MostCodings = 3;

    /// <summary>
    /// The codings in the order in which they are undone; null where one of them is not understood, or where there are too many.
    /// </summary>
    public static string[]? Understand(string header)
    {
        var codings = header.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (codings.Length > MostCodings)
        {
            return null;
        }

        Array.Reverse(codings); // They are named in the order in which they were applied.
        for (var i = 0; i < codings.Length; i++)
        {
            codings[i] = codings[i].ToLowerInvariant();
            if (codings[i] is not ("gzip" or "x-gzip" or "br" or "deflate" or "identity"))
            {
                return null;
            }
        }

        return codings;
    }

    /// <summary>The decoded bytes in a rented buffer. <paramref name="encoded"/> stays the caller's.</summary>
    /// <exception cref="HttpRequestException">It is flawed, or larger than <paramref name="maxBytes"/> once decoded.</exception>
    public static (byte[] Buffer, int Length) Decode(byte[] encoded, int length, string[] codings, int maxBytes)
    {
        Stream stream = new MemoryStream(encoded, 0, length, writable: false);
        for (var i = 0; i < codings.Length; i++)
        {
            stream = codings[i] switch
            {
                "br" => new BrotliStream(stream, CompressionMode.Decompress),
                "deflate" => IsZLib(encoded, i)
                    ? new ZLibStream(stream, CompressionMode.Decompress)
                    : new DeflateStream(stream, CompressionMode.Decompress),
                "identity" => stream,
                _ => new GZipStream(stream, CompressionMode.Decompress),
            };
        }

        using (stream)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(Math.Max(4096, length * 4), maxBytes + 1));
            try
            {
                var decoded = Fill(stream, ref buffer, maxBytes); // It may take a larger buffer.
                return (buffer, decoded);
            }
            catch (Exception flawed)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                if (flawed is InvalidDataException or InvalidOperationException)
                {
                    throw new HttpRequestException("The upstream's body is not in the coding that it names.", flawed);
                }

                throw;
            }
        }
    }

    private static int Fill(Stream stream, ref byte[] buffer, int maxBytes)
    {
        var length = 0;
        int read;
        while ((read = stream.Read(buffer, length, buffer.Length - length)) > 0)
        {
            length += read;
            if (length > maxBytes)
            {
                throw new HttpRequestException("The upstream's body is larger than MaxResponseBytes once it is decoded.");
            }

            if (length == buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(buffer.Length * 2L, maxBytes + 1L));
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
        }

        return length;
    }

    /// <summary>
    /// Many send the bare stream for what the standard calls deflate; the first byte of the wrapped one has 8 in its lower half (RFC 1950).
    /// Only the outermost coding's is seen.
    /// </summary>
    private static bool IsZLib(byte[] encoded, int coding) => coding > 0 || (encoded[0] & 0x0F) == 8;
}
