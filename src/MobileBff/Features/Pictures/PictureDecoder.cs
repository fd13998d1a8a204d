using System.Runtime.InteropServices;
using NetVips;

namespace MobileBff.Features.Pictures;

/// <summary>
/// Decodes images with libvips, which comes as a package. NetVips loads and initializes it when one of its types is first used. No other
/// class uses one, so that the start does not wait for it.
/// </summary>
internal static class PictureDecoder
{
    private const int AnyHeight = 10_000_000;

    /// <summary>White background, because JPEG has no transparency.</summary>
    private static readonly double[] Paper = [255, 255, 255];

    /// <summary>
    /// Suppresses the console output of libvips about broken images, which the answer reports. Held in a field, because native code calls
    /// it.
    /// </summary>
    private static readonly Log.LogDelegate Silent = static (_, _, _) => { };

    /// <summary>Whether the library is available on this platform; loads it once.</summary>
    public static bool IsAvailable => Loaded.Value;

    private static readonly Lazy<bool> Loaded = new(() =>
    {
        if (!ModuleInitializer.VipsInitialized)
        {
            return false;
        }

        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Silent);
        NetVips.NetVips.Concurrency = 1; // One core for each image; the others serve JSON.
        Cache.Max = 0;
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true); // Only the enabled loaders are tried.
        Operation.Block("VipsForeignLoadJpeg", false);
        Operation.Block("VipsForeignLoadPng", false);
        return true;
    });

    /// <summary>Returns the image with at most <paramref name="width"/>; null if it cannot be decoded completely.</summary>
    public static byte[]? Shrink(ReadOnlyMemory<byte> file, int width, bool webp, int quality)
    {
        var bytes =
            MemoryMarshal.TryGetArray(file, out var whole) && whole.Offset == 0 && whole.Count == whole.Array!.Length
                ? whole.Array
                : file.ToArray();
        try
        {
            ReadToItsEnd(bytes);
            // The colour profile is left out of the result, so colours are converted to sRGB, which is assumed without one.
            using var image = Image.ThumbnailBuffer(bytes, width, height: AnyHeight, size: Enums.Size.Down, outputProfile: "srgb");
            if (webp)
            {
                return image.WebpsaveBuffer(q: quality, effort: 2, keep: Enums.ForeignKeep.None);
            }

            if (!image.HasAlpha())
            {
                return image.JpegsaveBuffer(q: quality, optimizeCoding: true, keep: Enums.ForeignKeep.None);
            }

            using var opaque = image.Flatten(background: Paper);
            return opaque.JpegsaveBuffer(q: quality, optimizeCoding: true, keep: Enums.ForeignKeep.None);
        }
        catch (VipsException)
        {
            return null;
        }
    }

    /// <summary>
    /// Decodes the image completely, row by row, and discards the result. Shrinking alone would paint missing rows grey, whatever it is
    /// told to fail on. For a JPEG that breaks off, the library only warns, so every warning counts as a failure. Missing data in the last
    /// eight rows is not noticed.
    /// </summary>
    private static void ReadToItsEnd(byte[] file)
    {
        using var image = Image.NewFromBuffer(file, access: Enums.Access.Sequential, failOn: Enums.FailOn.Warning);
        image.Avg();
    }
}
