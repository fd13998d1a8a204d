using System.Buffers.Binary;

namespace MobileBff.Features.Pictures;

/// <summary>The header of a JPEG or PNG, read before anything is decoded.</summary>
/// <param name="MediaType">Media type of the actual format.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="IsComplete">Whether the format's end marker is present; a truncated file is refused without decoding it.</param>
internal readonly record struct PictureHeader(string MediaType, int Width, int Height, bool IsComplete)
{
    private static ReadOnlySpan<byte> EndOfImage => [0xFF, 0xD9];

    public long Pixels => (long)Width * Height;

    /// <summary>Reads the header; returns false if the file is neither format or has no size.</summary>
    public static bool TryRead(ReadOnlySpan<byte> file, out PictureHeader header)
    {
        header = default;
        if (file.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        {
            return TryPng(file, out header);
        }

        return file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) && TryJpeg(file, out header);
    }

    // ISO/IEC 15948: IHDR is the first chunk.
    private static bool TryPng(ReadOnlySpan<byte> file, out PictureHeader header)
    {
        header = default;
        if (file.Length < 33 || !file[12..16].SequenceEqual("IHDR"u8))
        {
            return false;
        }

        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(file[16..]), BinaryPrimitives.ReadUInt32BigEndian(file[20..]));
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue)
        {
            return false;
        }

        header = new("image/png", (int)width, (int)height, file[33..].IndexOf("IEND"u8) >= 0);
        return true;
    }

    // ITU-T T.81 annex B: segments come before the frame header (SOF).
    private static bool TryJpeg(ReadOnlySpan<byte> file, out PictureHeader header)
    {
        header = default;
        var at = 2;
        while (at + 9 < file.Length && file[at] == 0xFF)
        {
            var marker = file[at + 1];
            if (marker == 0xFF)
            {
                at++; // Fill byte
                continue;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                header = new(
                    "image/jpeg",
                    BinaryPrimitives.ReadUInt16BigEndian(file[(at + 7)..]),
                    BinaryPrimitives.ReadUInt16BigEndian(file[(at + 5)..]),
                    file[at..].IndexOf(EndOfImage) >= 0
                ); // Coded data never contains a marker (B.1.1.5).
                return header.Width > 0 && header.Height > 0;
            }

            if (length < 2 || marker is 0xDA or 0xD9 or 0xD8)
            {
                return false;
            }

            at += 2 + length;
        }

        return false;
    }
}
