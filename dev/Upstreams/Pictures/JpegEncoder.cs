using System.Buffers.Binary;
using System.Numerics;

namespace Bff.Dev.Upstreams.Pictures;

/// <summary>
/// Encodes baseline JPEG (ITU-T T.81) with colour at half resolution: blocks are transformed, quantised and Huffman-coded one after
/// another. Written here so that the sample images need neither files nor a library.
/// </summary>
internal sealed class JpegEncoder : IDisposable
{
    private const int Block = 8;
    private const int Unit = 2 * Block;

    private static readonly float[] Cosines = MakeCosines();
    private static readonly (int Code, int Length)[] Dc = Codes(JpegTables.DcCounts, JpegTables.DcValues);
    private static readonly (int Code, int Length)[] Ac = Codes(JpegTables.AcCounts, JpegTables.AcValues);

    private readonly MemoryStream output = new();
    private readonly byte[] luminance;
    private readonly byte[] chrominance;
    private int pending;
    private int pendingBits;

    private JpegEncoder(int quality)
    {
        var scale = quality < 50 ? 5000 / quality : 200 - quality * 2;
        luminance = Scaled(JpegTables.Luminance, scale);
        chrominance = Scaled(JpegTables.Chrominance, scale);
    }

    /// <summary>Encodes the image whose pixel at (x, y) has the given luma and colour differences, each 0 to 255.</summary>
    public static byte[] Encode(int width, int height, int quality, Func<int, int, (float Y, float Cb, float Cr)> pixel)
    {
        using var encoder = new JpegEncoder(quality);
        encoder.Head(width, height);
        encoder.Scan(width, height, pixel);
        encoder.Marker(0xd9, []);
        return encoder.output.ToArray();
    }

    public void Dispose() => output.Dispose();

    private void Head(int width, int height)
    {
        output.Write([0xff, 0xd8]);
        Marker(0xe0, [.. "JFIF\0"u8, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
        Marker(0xdb, [0, .. Ordered(luminance), 1, .. Ordered(chrominance)]);
        // 8 bits per sample, three components: luma has twice the resolution in both directions.
        Marker(0xc0, [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        Marker(0xc4, [0x00, .. JpegTables.DcCounts, .. JpegTables.DcValues, 0x10, .. JpegTables.AcCounts, .. JpegTables.AcValues]);
        Marker(0xda, [3, 1, 0x00, 2, 0x00, 3, 0x00, 0, 63, 0]);
    }

    private void Scan(int width, int height, Func<int, int, (float Y, float Cb, float Cr)> pixel)
    {
        Span<float> y = stackalloc float[Unit * Unit];
        Span<float> cb = stackalloc float[Block * Block];
        Span<float> cr = stackalloc float[Block * Block];
        Span<float> block = stackalloc float[Block * Block];
        int lastY = 0,
            lastCb = 0,
            lastCr = 0;

        for (var top = 0; top < height; top += Unit)
        {
            for (var left = 0; left < width; left += Unit)
            {
                cb.Clear();
                cr.Clear();
                for (var i = 0; i < Unit * Unit; i++)
                {
                    var (dx, dy) = (i % Unit, i / Unit);
                    // Beyond the edge the last column and row are repeated.
                    var sample = pixel(Math.Min(left + dx, width - 1), Math.Min(top + dy, height - 1));
                    y[i] = sample.Y - 128;
                    cb[dy / 2 * Block + dx / 2] += (sample.Cb - 128) / 4;
                    cr[dy / 2 * Block + dx / 2] += (sample.Cr - 128) / 4;
                }
                for (var quarter = 0; quarter < 4; quarter++)
                {
                    var start = quarter / 2 * Block * Unit + quarter % 2 * Block;
                    for (var row = 0; row < Block; row++)
                        y.Slice(start + row * Unit, Block).CopyTo(block[(row * Block)..]);
                    lastY = Write(block, luminance, lastY);
                }
                lastCb = Write(cb, chrominance, lastCb);
                lastCr = Write(cr, chrominance, lastCr);
            }
        }
        // The rest of the last byte is filled with ones.
        Bits(0x7f, 7);
    }

    /// <summary>
    /// Transforms, quantises and codes one block; returns its DC coefficient, which is the prediction for the next block.
    /// </summary>
    private int Write(Span<float> samples, byte[] quantisation, int lastDc)
    {
        Span<float> coefficients = stackalloc float[Block * Block];
        Transform(samples, coefficients);
        Span<int> levels = stackalloc int[Block * Block];
        for (var i = 0; i < levels.Length; i++)
        {
            var from = JpegTables.ZigZag[i];
            levels[i] = (int)MathF.Round(coefficients[from] / quantisation[from]);
        }

        Coded(Dc, 0, levels[0] - lastDc);
        var zeros = 0;
        for (var i = 1; i < levels.Length; i++)
        {
            if (levels[i] == 0)
            {
                zeros++;
                continue;
            }
            for (; zeros > 15; zeros -= 16)
                Bits(Ac[0xf0].Code, Ac[0xf0].Length);
            Coded(Ac, zeros, levels[i]);
            zeros = 0;
        }
        if (zeros > 0)
            Bits(Ac[0].Code, Ac[0].Length);
        return levels[0];
    }

    private void Coded((int Code, int Length)[] codes, int zeros, int level)
    {
        var size = 32 - BitOperations.LeadingZeroCount((uint)Math.Abs(level));
        var (code, length) = codes[zeros << 4 | size];
        Bits(code, length);
        if (size > 0)
            Bits((level < 0 ? level - 1 : level) & ((1 << size) - 1), size);
    }

    private void Bits(int value, int length)
    {
        pending = pending << length | value;
        pendingBits += length;
        while (pendingBits >= 8)
        {
            var next = (byte)(pending >> (pendingBits - 8));
            output.WriteByte(next);
            if (next == 0xff)
                output.WriteByte(0);
            pendingBits -= 8;
        }
        pending &= (1 << pendingBits) - 1;
    }

    private void Marker(byte kind, ReadOnlySpan<byte> content)
    {
        output.Write([0xff, kind]);
        if (kind == 0xd9)
            return;
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)(content.Length + 2));
        output.Write(length);
        output.Write(content);
    }

    /// <summary>Computes the two-dimensional DCT as rows, then columns.</summary>
    private static void Transform(ReadOnlySpan<float> samples, Span<float> coefficients)
    {
        Span<float> rows = stackalloc float[Block * Block];
        Pass(samples, rows);
        Pass(rows, coefficients);

        // Each pass also transposes, so two passes restore the order.
        static void Pass(ReadOnlySpan<float> from, Span<float> to)
        {
            for (var row = 0; row < Block; row++)
            {
                for (var u = 0; u < Block; u++)
                {
                    var sum = 0f;
                    for (var x = 0; x < Block; x++)
                        sum += from[row * Block + x] * Cosines[u * Block + x];
                    to[u * Block + row] = sum;
                }
            }
        }
    }

    private static float[] MakeCosines()
    {
        var cosines = new float[Block * Block];
        for (var u = 0; u < Block; u++)
        {
            for (var x = 0; x < Block; x++)
                cosines[u * Block + x] = 0.5f * (u == 0 ? MathF.Sqrt(0.5f) : 1) * MathF.Cos((2 * x + 1) * u * MathF.PI / 16);
        }
        return cosines;
    }

    private static byte[] Scaled(ReadOnlySpan<byte> table, int scale)
    {
        var scaled = new byte[table.Length];
        for (var i = 0; i < table.Length; i++)
            scaled[i] = (byte)Math.Clamp((table[i] * scale + 50) / 100, 1, 255);
        return scaled;
    }

    private static byte[] Ordered(byte[] table)
    {
        var ordered = new byte[table.Length];
        for (var i = 0; i < table.Length; i++)
            ordered[i] = table[JpegTables.ZigZag[i]];
        return ordered;
    }

    /// <summary>Returns the codes, which are counted up within a length and shifted between lengths (T.81, Annex C).</summary>
    private static (int, int)[] Codes(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> values)
    {
        var codes = new (int, int)[256];
        var (code, at) = (0, 0);
        for (var length = 1; length <= 16; length++, code <<= 1)
        {
            for (var i = 0; i < counts[length - 1]; i++)
                codes[values[at++]] = (code++, length);
        }
        return codes;
    }
}
