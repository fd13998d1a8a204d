using System.Buffers;
using System.IO.Compression;

namespace Bff.Upstreams;

/// <summary>
/// Decodes the content codings (RFC 9110 section 8.4.1) of a body in memory. The gateway does not ask services for codings, but caches and
/// sidecars on the way add them.
/// </summary>
internal static class ContentDecoding
{
    /// <summary>Maximum number of nested codings; each further one would multiply the work that a small body causes.</summary>
    private const int MostCodings = 3;

    /// <summary>
    /// Returns the codings in the order in which to decode them; null if there are none, too many, or an unknown one.
    /// </summary>
    public static string[]? Understand(string header)
    {
        var codings = header.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (codings.Length is 0 or > MostCodings)
        {
            return null;
        }

        Array.Reverse(codings); // The header lists them in the order in which they were applied.
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

    /// <summary>
    /// Returns the decoded bytes in a rented buffer; <paramref name="encoded"/> stays the caller's. The limit applies to each coding: a
    /// small body can grow a thousandfold with each one, even if the final result is tiny.
    /// </summary>
    /// <exception cref="HttpRequestException">The body is corrupt, or larger than <paramref name="maxBytes"/> after a coding is
    /// decoded.</exception>
    public static (byte[] Buffer, int Length) Decode(byte[] encoded, int length, string[] codings, int maxBytes)
    {
        var (stage, decoded) = (encoded, length);
        foreach (var coding in codings)
        {
            var before = stage;
            try
            {
                (stage, decoded) = Undo(coding, before, decoded, maxBytes);
            }
            finally
            {
                if (before != encoded)
                {
                    ArrayPool<byte>.Shared.Return(before);
                }
            }
        }

        return (stage, decoded);
    }

    private static (byte[] Buffer, int Length) Undo(string coding, byte[] encoded, int length, int maxBytes)
    {
        var bytes = new MemoryStream(encoded, 0, length, writable: false);
        Stream stream = coding switch
        {
            "br" => new BrotliStream(bytes, CompressionMode.Decompress),
            "deflate" => IsZLib(encoded.AsSpan(0, length))
                ? new ZLibStream(bytes, CompressionMode.Decompress)
                : new DeflateStream(bytes, CompressionMode.Decompress),
            "identity" => bytes,
            _ => new GZipStream(bytes, CompressionMode.Decompress),
        };
        using (stream)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(Math.Max(4096, length * 4), maxBytes + 1));
            try
            {
                var decoded = Fill(stream, ref buffer, maxBytes); // May replace the buffer by a larger one.
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
    /// Whether the data is in zlib format (RFC 1950), whose first byte has 8 in its lower half. Many servers send raw deflate data instead.
    /// </summary>
    private static bool IsZLib(ReadOnlySpan<byte> encoded) => !encoded.IsEmpty && (encoded[0] & 0x0F) == 8;
}
